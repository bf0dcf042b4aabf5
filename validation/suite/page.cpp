// The report page: one file, read on a screen or on paper.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "commit.hpp"
#include "page_style.hpp"
#include "report/html.hpp"
#include "results.hpp"
#include "riskcurve/report/results.hpp"
#include "riskcurve/report/write.hpp"
#include "riskcurve/version.hpp"

namespace riskcurve::validation {
namespace {

using Eigen::ArrayXd;

std::string base64(const std::string& bytes) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j <= bytes.size() ? digits[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

/// A figure as an element of the page.
std::string image(const Figure& figure, const std::string& scratch, const std::string& alt) {
  const std::string path = scratch + "/figure.svg";
  plot(figure, path);
  const std::string svg = read_file(path);
  std::remove(path.c_str());
  return fmt::format("<img alt=\"{}\" src=\"data:image/svg+xml;base64,{}\">\n", escaped(alt),
                     base64(svg));
}

Figure curve_of(const Case& the, const Score& score) {
  RiskCurve curve;
  curve.steps = score.steps;
  curve.risk = score.predicted;
  Figure figure = to_figure(curve, the.name);
  if (score.low.size() > 0) add_bands(figure, score.steps, score.low, score.high);
  if (score.failure.empty())
    add_ensemble(figure, score.steps, score.shown, score.mean, score.error);
  return figure;
}

const char* tone(const std::string& says) {
  if (says == "ok" || says == "holds") return "good";
  return says == "FAILED" ? "bad" : "open";
}

std::string mark(const std::string& says) {
  return fmt::format("<td class=\"{}\">{}</td>", tone(says), says);
}

std::string anchor(std::size_t i) {
  return fmt::format("case{}", i + 1);
}

class Page {
 public:
  Page(const Results& results, std::string scratch)
      : results_(results), sum_(summary(results)), scratch_(std::move(scratch)) {}

  std::string text() {
    add("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<title>riskcurve: predictions against real "
        "runs</title>\n<style>{}</style></head>\n<body>\n",
        kStyle);
    head();
    failures();
    cases();
    claims();
    orders();
    overlays();
    plots();
    add("</body></html>\n");
    return out_;
  }

 private:
  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    out_ += fmt::format(format, std::forward<Values>(values)...);
  }

  const Case& the(std::size_t i) const { return results_.suite.cases[i]; }

  void box(bool good, const std::string& figure, const std::string& text) {
    add("<div class=\"box {}\"><b>{}</b>{}</div>\n", good ? "good" : "bad", figure, text);
  }

  void head() {
    add("<h1>riskcurve: predictions against real runs</h1>\n"
        "<p class=\"lead\">Every case below was solved twice: as the differential equations that "
        "the "
        "optimizer obeys in high dimension, and as many independent runs of the real algorithm on "
        "sampled data. The table says how far the mean of the runs is from the prediction, and how "
        "far it was allowed to be, as the case declared beforehand.</p>\n<div class=\"boxes\">\n");
    const int held = sum_.rows - sum_.excused - sum_.missing;
    box(sum_.failed == 0, fmt::format("{} of {}", held - sum_.failed, held),
        "cases within their allowance" +
            (sum_.excused ? fmt::format("; {} more are not held to one, and say why", sum_.excused)
                          : std::string()));
    if (sum_.claims)
      box(sum_.broken == 0, fmt::format("{} of {}", sum_.claims - sum_.broken, sum_.claims),
          "statements of the papers hold in runs");
    if (sum_.bands.cases) {
      std::string over = fmt::format("of the runs inside the predicted 95 % bands, over {} cases",
                                     sum_.bands.cases);
      if (sum_.vectors.cases && sum_.matrices.cases)
        over += fmt::format(": {:.1f} % over {} of vectors, {:.1f} % over {} of matrices",
                            sum_.vectors.inside, sum_.vectors.cases, sum_.matrices.inside,
                            sum_.matrices.cases);
      box(sum_.bands.cover(), fmt::format("{:.1f} %", sum_.bands.inside), over);
    }
    add("</div>\n<p class=\"note\">Suite <b>{0}</b>, seed {1}, riskcurve {2}, commit {3}. The same "
        "again: <code>riskcurve validate --suite {0} --seed {1} --report DIR</code>; one case: "
        "<code>--only \"its name\"</code>. The same numbers for any number of threads.</p>\n",
        results_.name, results_.seed, RISKCURVE_VERSION, commit());
  }

  void failures() {
    add("<h2>What failed</h2>\n");
    if (sum_.passed() && sum_.vectors.cover() && sum_.matrices.cover()) {
      add("<p>Nothing.</p>\n");
      return;
    }
    add("<ul>\n");
    for (std::size_t i = 0; i < results_.scores.size(); ++i)
      if (verdict(results_, i) == "FAILED")
        add("<li><a href=\"#{}\">{}, {}</a>: {}</li>\n", anchor(i), escaped(the(i).family),
            escaped(the(i).name), reason(i));
    for (std::size_t i = 0; i < results_.suite.claims.size(); ++i) {
      const Claim& claim = results_.suite.claims[i];
      if (judged(results_, claim) && !results_.verdicts[i].holds)
        add("<li>{}: {:.3g} in runs, {:.3g} predicted, must be {:g} to {:g}</li>\n",
            escaped(claim.text), results_.verdicts[i].measured, results_.verdicts[i].predicted,
            claim.low, claim.high);
    }
    for (const auto& [bands, problems] :
         {std::pair(&sum_.vectors, "vectors"), std::pair(&sum_.matrices, "matrices")})
      if (!bands->cover())
        add("<li>Bands of {}: {:.1f} % of the runs are inside, on average over {} cases; 90 to 99 "
            "% in {} of them. Outside, the mean of the runs is as far off as their spread: the "
            "column "
            "gap tells.</li>\n",
            problems, bands->inside, bands->cases, bands->covered);
    add("</ul>\n");
  }

  std::string reason(std::size_t i) const {
    for (const Score& score : results_.scores[i])
      if (!within(the(i), score))
        return score.failure.empty()
                   ? fmt::format("{:+.2f} % ± {:.2f} % at d = {:g}, allowed {:.2f} %", score.gap,
                                 score.gap_error, score.dimension, the(i).allowance / score.size)
                   : escaped(score.failure);
    return {};
  }

  void cases() {
    add("<h2>Curves against runs</h2>\n<p class=\"note\">gap: mean of the runs − prediction, "
        "percent "
        "of the prediction, with its standard error, at the recorded step that decides. A case is "
        "ok if at every step |gap| ≤ allowed + 4 standard errors, at every size (allowed: over the "
        "size). At smaller d: the same problem at a fraction of its dimension. In band: runs "
        "inside "
        "the predicted 95 % band.</p>\n<table><thead><tr><th class=\"left\">case<th>d<th>batch"
        "<th>runs<th>gap %<th>± s.e.<th>largest,<br>in s.e.<th>allowed %<th>gap % at smaller d"
        "<th>in band %<th></tr></thead>\n");
    for (std::size_t i = 0; i < results_.scores.size(); ++i) {
      if (i == 0 || the(i).family != the(i - 1).family)
        add("<tr><th class=\"family\" colspan=\"11\">{}</th></tr>\n", escaped(the(i).family));
      add("<tr><td class=\"left\"><a href=\"#{}\">{}</a></td>", anchor(i), escaped(the(i).name));
      row(i);
      add("{}</tr>\n", mark(verdict(results_, i)));
      const std::string& remark = remark_on(i);
      if (!remark.empty() && (i == 0 || remark != remark_on(i - 1)))
        add("<tr class=\"why\"><td class=\"left\" colspan=\"11\">{}</td></tr>\n", escaped(remark));
    }
    add("</table>\n");
  }

  const std::string& remark_on(std::size_t i) const {
    return the(i).missing.empty() ? the(i).why : the(i).missing;
  }

  void row(std::size_t i) {
    const Row r = row_of(results_, i);
    for (const std::string& cell :
         {r.dimension, r.batch, r.runs, r.gap, r.error, r.in_errors, r.allowed, r.smaller})
      add("<td>{}</td>", cell);
    const double inside = results_.scores[i].empty() ? 95 : results_.at_full_size(i).inside;
    add("<td{}>{}</td>", inside < 90 || inside > 99 ? " class=\"open\"" : "", r.inside);
  }

  void claims() {
    if (results_.suite.claims.empty()) return;
    add("<h2>What the papers state</h2>\n<p class=\"note\">Each statement is a ratio of two cases: "
        "of "
        "their risks at the end, or of the rates log(R(0)/R)/steps. It holds if the prediction and "
        "the runs, by at least two standard errors, lie where they must.</p>\n<table><thead><tr>"
        "<th class=\"left\">statement<th class=\"left\">ratio of<th>predicted<th>in runs<th>must be"
        "<th></tr></thead>\n");
    for (std::size_t i = 0; i < results_.suite.claims.size(); ++i) {
      const Claim& claim = results_.suite.claims[i];
      const Verdict& v = results_.verdicts[i];
      add("<tr><td class=\"left\">{} <span class=\"source\">{}</span></td><td class=\"left\">{}: "
          "<a href=\"#{}\">{}</a> / <a href=\"#{}\">{}</a></td>",
          escaped(claim.text), escaped(claim.source),
          claim.quantity == Claim::Quantity::risk ? "risks" : "rates", anchor(claim.of),
          escaped(the(claim.of).name), anchor(claim.over), escaped(the(claim.over).name));
      const std::string says = verdict(results_, claim, v);
      if (says == "not run")
        add("<td colspan=\"3\"></td>");
      else
        add("<td>{:.3g}</td><td>{:.3g} ± {:.1g}</td><td>{:g} to {:g}</td>", v.predicted, v.measured,
            v.error, claim.low, claim.high);
      add("{}</tr>\n", mark(says));
    }
    add("</table>\n");
  }

  void orders() {
    if (results_.orders.empty()) return;
    add("<h2>How the error falls with the dimension</h2>\n<p class=\"note\">bias: mean of the runs "
        "− "
        "prediction, averaged over the recorded steps; root mean square over the cases of an "
        "optimizer, sampling error taken off. p: fitted to bias ~ d<sup>−p</sup>, a prefactor for "
        "each case.</p>\n<table><thead><tr><th class=\"left\">optimizer<th>cases<th>bias % at "
        "each size<th>p</tr></thead>\n");
    for (const Order& order : results_.orders) {
      add("<tr><td class=\"left\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
          escaped(order.optimizer), order.cases, sizes_of(order), text_of(order));
    }
    add("</table>\n");
  }

  void overlays() {
    if (results_.suite.overlays.empty()) return;
    add("<h2>Theory over Monte Carlo</h2>\n<div class=\"plots\">\n");
    for (const Overlay& overlay : results_.suite.overlays) {
      const auto figure = overlay_figure(results_, overlay);
      if (figure)
        add("<figure>{}<figcaption>{}: lines are predictions, points the means of "
            "runs.</figcaption>"
            "</figure>\n",
            image(*figure, scratch_, overlay.title), escaped(overlay.title));
    }
    add("</div>\n");
  }

  void plots() {
    add("<h2>Every case</h2>\n<div class=\"plots\">\n");
    for (std::size_t i = 0; i < results_.scores.size(); ++i) {
      if (results_.scores[i].empty()) continue;
      const Score& s = results_.at_full_size(i);
      const std::string says = verdict(results_, i);
      const Figure figure = curve_of(the(i), s);  // of a case that failed at once: empty
      add("<figure id=\"{}\">{}<figcaption><b class=\"{}\">{}</b> {}, {}", anchor(i),
          shows_anything(figure) ? image(figure, scratch_, the(i).name) : "", tone(says), says,
          escaped(the(i).family), escaped(the(i).name));
      if (s.failure.empty())
        add(": {:+.2f} ± {:.2f} %, {:g} runs, γ = {:.4g}", s.gap, s.gap_error, s.runs, s.step);
      add("<details><summary>problem file and trust</summary><pre>{}</pre><p>{}</p>",
          escaped(s.problem), escaped(s.trust_line));
      for (const std::string& warning : s.warnings)
        add("<p class=\"warning\">{}</p>", escaped(warning));
      add("</details></figcaption></figure>\n");
    }
    add("</div>\n");
  }

  const Results& results_;
  Summary sum_;
  std::string scratch_, out_;
};

}  // namespace

std::string commit() {
  return RISKCURVE_COMMIT;
}

std::optional<Figure> overlay_figure(const Results& results, const Overlay& overlay) {
  Figure figure;
  figure.title = overlay.title;
  figure.x_label = "steps k";
  figure.y_label = "excess risk R";
  std::vector<Series> points;
  ArrayXd risks, steps;
  for (std::size_t k = 0; k < overlay.cases.size(); ++k) {
    const std::size_t i = overlay.cases[k];
    if (results.scores[i].empty() || !results.at_full_size(i).failure.empty()) return {};
    const Score& s = results.at_full_size(i);
    const int colour = static_cast<int>(k);
    figure.series.push_back(
        {Series::Style::line, results.suite.cases[i].name, s.steps, s.predicted, {}, colour});
    points.push_back(
        {Series::Style::error_bars, "", s.steps, s.mean, ArrayXd(2 * s.error), colour});
    ArrayXd more(risks.size() + s.predicted.size());
    more << risks, s.predicted;
    risks = more;
    steps = s.steps;
  }
  figure.series.insert(figure.series.end(), points.begin(), points.end());
  figure.log_x = log_spaced(steps);
  figure.log_y = spans_a_decade(risks);
  return figure;
}

std::string to_html(const Results& results, const std::string& scratch) {
  return Page(results, scratch).text();
}

}  // namespace riskcurve::validation
