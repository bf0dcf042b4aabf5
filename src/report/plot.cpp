#include "riskcurve/report/plot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/write.hpp"

namespace riskcurve {
namespace {

/// Text in single quotes, where gnuplot gives meaning to nothing but the quote itself.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c == '\n' ? ' ' : c;
  }
  return out + "'";
}

/// Tick marks of a logarithmic axis from `low` to `high`: powers of ten where it spans many
/// decades, 1, 2, 5 of each decade where it spans few.
std::string log_tics(const char* axis, double low, double high) {
  const double decades = std::log10(high) - std::log10(low);
  if (decades > 2.5) {
    const int stride = std::max(1, static_cast<int>(std::ceil(decades / 10)));
    return fmt::format("set format {0} '10^{{%T}}'\nset {0}tics {1}\n", axis,
                       std::pow(10.0, stride));
  }
  std::string marks;
  for (int exponent = static_cast<int>(std::floor(std::log10(low)));
       exponent <= static_cast<int>(std::ceil(std::log10(high))); ++exponent) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double value = digit * std::pow(10.0, exponent);
      marks += fmt::format("{0}'{1:.6g}' {1:.6g}", marks.empty() ? "" : ", ", value);
    }
  }
  return fmt::format("set {}tics ({})\n", axis, marks);
}

/// A point with its error bar.
struct Mark {
  double x, y, low, high;
};

/// The points of a series that the axes can show.
std::vector<Mark> marks_of(const Series& series, const Figure& figure) {
  std::vector<Mark> marks;
  for (Eigen::Index i = 0; i < series.x.size(); ++i) {
    const double x = series.x(i), y = series.y(i);
    if (!std::isfinite(x) || !std::isfinite(y) || (figure.log_x && x <= 0) ||
        (figure.log_y && y <= 0)) {
      continue;
    }
    double half = series.spread.size() > 0 ? series.spread(i) : 0;
    if (!std::isfinite(half)) half = 0;
    // A bar that reaches below zero has no lower end on a logarithmic axis.
    marks.push_back({x, y, figure.log_y ? std::max(y - half, y / 20) : y - half, y + half});
  }
  return marks;
}

/// Of many points, those that can be seen: in each of `kStrips` strips of the width the first and
/// the last, the highest and the lowest, in their order. A line through them looks the same.
std::vector<Mark> visible(std::vector<Mark> marks, bool log_x) {
  constexpr std::size_t kStrips = 2000;
  if (marks.size() <= 4 * kStrips) return marks;
  const auto place = [&](const Mark& mark) { return log_x ? std::log(mark.x) : mark.x; };
  const auto [left, right] = std::minmax_element(
      marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.x < b.x; });
  const double from = place(*left), width = place(*right) / kStrips - from / kStrips;
  const auto strip = [&](const Mark& mark) {
    return width > 0 ? std::floor((place(mark) - from) / width) : 0;
  };
  std::vector<Mark> seen;
  for (auto begin = marks.begin(); begin != marks.end();) {
    const double here = strip(*begin);
    const auto end =
        std::find_if(begin, marks.end(), [&](const Mark& mark) { return strip(mark) != here; });
    const auto lowest =
        std::min_element(begin, end, [](const Mark& a, const Mark& b) { return a.low < b.low; });
    const auto highest =
        std::max_element(begin, end, [](const Mark& a, const Mark& b) { return a.high < b.high; });
    auto kept = {begin, std::min(lowest, highest), std::max(lowest, highest), end - 1};
    auto last = marks.end();
    for (const auto at : kept)
      if (at != last) seen.push_back(*(last = at));
    begin = end;
  }
  return seen;
}

/// A series as gnuplot reads it: x, y, and the ends of the error bar.
std::string data_block(const Series& series, const Figure& figure) {
  std::string text;
  for (const Mark& mark : visible(marks_of(series, figure), figure.log_x))
    text += fmt::format("{} {} {} {}\n", mark.x, mark.y, mark.low, mark.high);
  return text;
}

/// `line`: how many lines were drawn before it, so that each has a colour of its own.
std::string style_of(const Series& series, std::size_t line) {
  static constexpr const char* colours[] = {"#c0392b", "#1f5fa8", "#2e8b57",
                                            "#e08e0b", "#7d3c98", "#555555"};
  const bool coloured = series.colour >= 0;
  const std::size_t number = coloured ? static_cast<std::size_t>(series.colour) : line;
  const std::string own = colours[number % std::size(colours)];
  switch (series.style) {
    case Series::Style::line:
      return fmt::format("using 1:2 with lines lw 2.2 lc rgb '{}'", own);
    case Series::Style::dashes:
      return "using 1:2 with lines lw 2 dt (10,6) lc rgb '#c0392b'";
    case Series::Style::points:
      return "using 1:2 with points pt 7 ps 0.5 lc rgb '#1f5fa8'";
    case Series::Style::error_bars:
      return fmt::format("using 1:2:3:4 with yerrorbars pt 7 ps 0.6 lw 1.3 lc rgb '{}'",
                         coloured ? own : "#1f5fa8");
    case Series::Style::faint:
      return "using 1:2 with lines lw 0.8 lc rgb '#c3d3e6'";
  }
  return {};
}

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double x, bool log) {
    if (!std::isfinite(x) || (log && x <= 0)) return;
    low = std::min(low, x);
    high = std::max(high, x);
  }
};

std::string range(const char* axis, Extent extent, bool log) {
  if (extent.low > extent.high) throw Failure("nothing to plot: no finite value");
  if (log) {
    const double margin =
        0.04 * std::max(std::log10(extent.high) - std::log10(extent.low), std::log10(1.5));
    return fmt::format("set logscale {0}\nset {0}range [{1}:{2}]\n", axis,
                       std::pow(10, std::max(std::log10(extent.low) - margin, -307.0)),
                       std::pow(10, std::min(std::log10(extent.high) + margin, 307.0)));
  }
  const double width = extent.high - extent.low;
  const double margin = width > 0 ? 0.04 * width : std::max(1e-300, std::abs(extent.low) * 0.1);
  // Risks and steps start at zero; an axis that nearly does should too.
  const double low = extent.low >= 0 && extent.low < 0.5 * width ? 0 : extent.low - margin;
  return fmt::format("set {0}range [{1}:{2}]\n", axis, low, extent.high + margin);
}

/// Colours of a heat map's classes, told apart in grey and by the colour-blind.
constexpr const char* kClassColours[] = {"#d9803a", "#f2e3c2", "#3f7fb5", "#bbbbbb"};

std::string heat_map_commands(const HeatMap& map, std::size_t number, std::string& script) {
  const auto half = [](const Eigen::ArrayXd& x) {
    return x.size() > 1 ? 0.5 * (x[1] - x[0]) : 0.5;
  };
  script += fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", map.x[0] - half(map.x),
                        map.x[map.x.size() - 1] + half(map.x), map.y[0] - half(map.y),
                        map.y[map.y.size() - 1] + half(map.y));
  script += fmt::format("$map{} << END\n", number);
  for (Eigen::Index j = 0; j < map.y.size(); ++j)
    for (Eigen::Index i = 0; i < map.x.size(); ++i)
      if (std::isfinite(map.value(i, j)))
        script += fmt::format("{} {} {}\n", map.x[i], map.y[j], map.value(i, j));
  script += "END\n";
  // Boxes, not an image: a grid may have holes, and boxes stay sharp in every format.
  const std::string boxes = fmt::format(
      "$map{} using 1:2:({}):({}):3 with boxxyerror fs solid 1 "
      "noborder lc palette notitle",
      number, 1.03 * half(map.x), 1.03 * half(map.y));  // no seams
  if (map.classes.empty()) {
    script +=
        "set colorbox\nset palette maxcolors 0 defined (0 '#fdf6e3', 0.25 '#f0c987', 0.5 "
        "'#d9803a', "
        "0.75 '#99384b', 1 '#3b1c4a')\nset autoscale cb\n";
    return boxes;
  }
  std::string colours, key;
  for (std::size_t i = 0; i < map.classes.size(); ++i) {
    const char* colour = kClassColours[i % std::size(kClassColours)];
    colours += fmt::format("{}{} '{}'", i ? ", " : "", i, colour);
    key += fmt::format(", keyentry with boxes fs solid 1 noborder fc rgb '{}' title {}", colour,
                       quoted(map.classes[i]));
  }
  script += fmt::format(
      "unset colorbox\nset palette maxcolors {} defined ({})\nset cbrange "
      "[-0.5:{}]\n",
      map.classes.size(), colours, static_cast<double>(map.classes.size()) - 0.5);
  return boxes + key;
}

/// The commands that draw one figure, its data named by its number.
std::string panel(const Figure& figure, std::size_t number) {
  Extent x, y;
  for (const Series& series : figure.series) {
    for (Eigen::Index i = 0; i < series.x.size(); ++i) {
      if (figure.log_x && series.x(i) <= 0) continue;
      x.add(series.x(i), figure.log_x);
      y.add(series.y(i), figure.log_y);
      if (series.spread.size() > 0) y.add(series.y(i) + series.spread(i), figure.log_y);
    }
  }
  std::string script = fmt::format(
      "set title {} noenhanced\nset xlabel {} noenhanced\nset ylabel {} noenhanced\n"
      "set key {} noenhanced spacing 1.2\n",
      quoted(figure.title), quoted(figure.x_label), quoted(figure.y_label),
      figure.map ? "below left" : "top right");
  std::string commands;
  if (figure.map) {
    commands = "plot " + heat_map_commands(*figure.map, number, script);
  } else {
    script += range("x", x, figure.log_x) + range("y", y, figure.log_y);
    if (figure.log_x) script += log_tics("x", x.low, x.high);
    if (figure.log_y) script += log_tics("y", y.low, y.high);
  }
  std::size_t lines = 0;
  for (std::size_t i = 0; i < figure.series.size(); ++i) {
    const Series& series = figure.series[i];
    const std::string data = data_block(series, figure);
    if (data.empty()) continue;
    script += fmt::format("$data{}_{} << END\n{}END\n", number, i, data);
    commands += fmt::format("{}$data{}_{} {} {}", commands.empty() ? "plot " : ", ", number, i,
                            style_of(series, lines),
                            series.label.empty() ? "notitle" : "title " + quoted(series.label));
    if (series.style == Series::Style::line) ++lines;
  }
  return script + commands + "\n";
}

/// A file that is gone at the end of the scope.
struct Temporary {
  explicit Temporary(std::string name) : path(std::move(name)) {}
  ~Temporary() { std::remove(path.c_str()); }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  std::string path;
};

}  // namespace

bool log_spaced(const Eigen::ArrayXd& x) {
  std::vector<double> positive;
  for (const double value : x) {
    if (std::isfinite(value) && value > 0) positive.push_back(value);
  }
  if (positive.size() < 4) return false;
  const double first = positive[1] - positive[0];
  const double last = positive.back() - positive[positive.size() - 2];
  return positive.back() > 10 * positive.front() && last > 3 * first;
}

bool spans_a_decade(const Eigen::ArrayXd& y) {
  Extent extent;
  for (const double value : y) extent.add(value, false);
  return extent.low > 0 && extent.high > 10 * extent.low;
}

bool shows_anything(const Figure& figure) {
  if (figure.map && figure.map->value.isFinite().any()) return true;
  return std::any_of(figure.series.begin(), figure.series.end(),
                     [&](const Series& series) { return !data_block(series, figure).empty(); });
}

std::string gnuplot_script(const std::vector<Figure>& figures, const std::string& terminal,
                           const std::string& output) {
  const std::size_t count = figures.size();
  const bool alone = count == 1;
  std::string script = fmt::format(
      "set encoding utf8\n"
      "set terminal {} size {},{} font 'DejaVu Sans,{}' background '#ffffff'\n"
      "set output {}\n"
      "set border 3 lw 1 lc rgb '#555555'\nset tics nomirror out\n"
      "set grid back lt 1 lw 1 lc rgb '#dddddd'\n",
      terminal, alone ? 900 : 560 * count, alone ? 600 : 560, terminal == "svg" ? 14 : 12,
      quoted(output));
  if (!alone) script += fmt::format("set multiplot layout 1,{}\n", count);
  for (std::size_t i = 0; i < count; ++i) script += panel(figures[i], i);
  if (!alone) script += "unset multiplot\n";
  return script;
}

void require_gnuplot() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((folder + "/gnuplot").c_str(), X_OK) == 0) return;
  }
  throw Failure("plots are drawn by gnuplot, which is not on PATH: install gnuplot-nox");
}

void plot(const std::vector<Figure>& figures, const std::string& path) {
  check_output("--plot", path, {".svg", ".png"});
  require_gnuplot();
  if (std::none_of(figures.begin(), figures.end(), shows_anything))
    throw Failure(path + ": nothing to plot");
  const bool svg = path.ends_with(".svg");
  const Temporary image(fmt::format("{}.part-{}", path, getpid()));
  const Temporary script(image.path + ".gnuplot"), log(image.path + ".log");
  write_file(script.path, gnuplot_script(figures, svg ? "svg" : "pngcairo", image.path));

  // Spawned without a shell, so that no file name needs quoting.
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.path.c_str(), O_WRONLY | O_CREAT,
                                   0600);
  std::string program = "gnuplot", argument = script.path;
  char* arguments[] = {program.data(), argument.data(), nullptr};
  pid_t child = 0;
  int status = posix_spawnp(&child, "gnuplot", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (status == 0) waitpid(child, &status, 0);

  std::error_code error;
  if (status == 0 && std::filesystem::file_size(image.path, error) > 0 && !error) {
    std::filesystem::rename(image.path, path, error);
    if (!error) return;
    throw Failure("cannot write " + path + ": " + error.message());
  }
  std::ifstream complaint(log.path);
  std::string line, last;
  while (std::getline(complaint, line)) last = line.empty() ? last : line;
  throw Failure("gnuplot could not draw " + path + (last.empty() ? "" : ": " + last));
}

}  // namespace riskcurve
