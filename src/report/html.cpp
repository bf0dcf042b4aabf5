#include "report/html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace riskcurve {
namespace {

using Eigen::Index;

constexpr double kWidth = 640, kHeight = 330, kLeft = 74, kRight = 14, kTop = 12, kBottom = 44;

/// An axis from the least to the greatest value that it shows, in pixels from `start` to `end`.
struct Axis {
  bool log = false;
  double start, end, low = HUGE_VAL, high = -HUGE_VAL;

  double scaled(double x) const { return log ? std::log(x) : x; }
  bool shows(double x) const { return std::isfinite(x) && (!log || x > 0); }
  void include(double x) {
    low = std::min(low, scaled(x));
    high = std::max(high, scaled(x));
  }
  double operator()(double x) const {
    return high > low ? start + (end - start) * (scaled(x) - low) / (high - low)
                      : 0.5 * (start + end);
  }
  /// Marks at both ends and between.
  double at(double share) const {
    const double x = low + share * (high - low);
    return log ? std::exp(x) : x;
  }
};

}  // namespace

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string svg_of(const Figure& figure) {
  Axis x{figure.log_x, kLeft, kWidth - kRight}, y{figure.log_y, kHeight - kBottom, kTop};
  const auto shown = [&](const Series& series, Index i) {
    return x.shows(series.x[i]) && y.shows(series.y[i]);
  };
  for (const Series& series : figure.series)
    for (Index i = 0; i < series.x.size(); ++i)
      if (shown(series, i)) x.include(series.x[i]), y.include(series.y[i]);
  if (!(x.high >= x.low)) return "";
  std::string out =
      fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{} over {}\">\n", kWidth,
                  kHeight, escaped(figure.y_label), escaped(figure.x_label));
  for (const double share : {0.0, 0.5, 1.0}) {
    out +=
        fmt::format("<text class=\"axis\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{:.4g}</text>\n",
                    x(x.at(share)), kHeight - kBottom + 17,
                    share == 0   ? "start"
                    : share == 1 ? "end"
                                 : "middle",
                    x.at(share));
    out += fmt::format(
        "<path class=\"axis\" d=\"M{} {:.1f}H{}\"/>"
        "<text class=\"axis\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.3g}</text>\n",
        kLeft, y(y.at(share)), kWidth - kRight, kLeft - 6, y(y.at(share)) + 4, y.at(share));
  }
  out += fmt::format("<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                     0.5 * (kLeft + kWidth - kRight), kHeight - 6, escaped(figure.x_label));
  for (std::size_t k = 0; k < figure.series.size(); ++k) {
    const Series& series = figure.series[k];
    std::string path;
    for (Index i = 0; i < series.x.size(); ++i) {
      if (!shown(series, i)) continue;
      const double at_x = x(series.x[i]), at_y = y(series.y[i]);
      if (series.style == Series::Style::points)
        out += fmt::format("<circle class=\"s{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"/>\n", k, at_x,
                           at_y);
      else
        path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", at_x, at_y);
    }
    if (!path.empty()) out += fmt::format("<path class=\"s{}\" d=\"{}\"/>\n", k, path);
  }
  return out + "</svg>\n";
}

}  // namespace riskcurve
