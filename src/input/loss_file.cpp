#include "input/loss_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <vector>

#include "problem/data_lines.hpp"
#include "problem/number.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/run/table.hpp"
#include "run/csv.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

constexpr double kSameStep = 1e-3;  // of the largest: a schedule keeps to it between its knots

struct LossRow {
  double loss = NAN, error = NAN, step_size = NAN;
};
/// The rows of one run by their steps.
using LossRun = std::map<double, LossRow>;

/// The lines of a log under the names of its columns.
class LossLines {
 public:
  LossLines(const std::string& path, const std::string& field) : path_(path), field_(field) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error))
      throw InputError(field, path, "a file that exists");
    text_ = read_file(path);
  }

  std::map<std::string, LossRun> read();
  bool evaluated() const { return evaluated_; }
  bool has(const char* name) const { return column_.contains(name); }

 private:
  [[noreturn]] void fail(std::size_t line, const std::string& what,
                         const std::string& expected) const {
    throw InputError(field_, fmt::format("{}, line {}{}", path_, line, what), expected);
  }
  void take_names(const std::vector<std::string>& cells, std::size_t line);
  double number(const std::vector<std::string>& cells, const char* name, std::size_t line) const;

  std::string path_, field_, text_;
  std::map<std::string, std::size_t> column_;
  bool evaluated_ = false;
};

void LossLines::take_names(const std::vector<std::string>& cells, std::size_t line) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::string name(trimmed(cells[i]));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    column_.emplace(name, i);
  }
  if (!has("step")) fail(line, "", "a header that names a column \"step\"");
}

double LossLines::number(const std::vector<std::string>& cells, const char* name,
                         std::size_t line) const {
  const std::size_t at = column_.at(name);
  const std::string text(at < cells.size() ? trimmed(cells[at]) : std::string_view());
  double x = NAN;
  if (!parse_number(text, x) || !std::isfinite(x))
    fail(line, fmt::format(", {} = \"{}\"", name, text), "a finite number");
  return x;
}

std::map<std::string, LossRun> LossLines::read() {
  std::map<std::string, LossRun> runs;
  Lines lines(text_);
  for (std::string_view line; lines.next(line);) {
    line = trimmed(line);
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string> cells = csv_cells(std::string(line));
    const std::size_t at = lines.number();
    if (column_.empty()) {
      take_names(cells, at);
      continue;
    }
    const auto text = [&](const char* name) {
      const std::size_t i = column_.at(name);
      return std::string(i < cells.size() ? trimmed(cells[i]) : std::string_view());
    };
    LossRun& run = runs[has("run") ? text("run") : ""];
    const double step = number(cells, "step", at);
    if (!run.empty() && step <= run.rbegin()->first)
      fail(at, fmt::format(", step {:g} after {:g}", step, run.rbegin()->first),
           "steps that increase: one run without restarts, or a column \"run\"");
    LossRow& row = run[step];
    if (has("loss")) row.loss = number(cells, "loss", at);
    if (has("se")) row.error = number(cells, "se", at);
    if (has("lr")) row.step_size = number(cells, "lr", at);
    if (row.step_size < 0) fail(at, fmt::format(", lr = {:g}", row.step_size), "a step size >= 0");
    if (row.error < 0) fail(at, fmt::format(", se = {:g}", row.error), "a standard error >= 0");
    if (!has("kind")) continue;
    if (text("kind") != "batch" && text("kind") != "eval")
      fail(at, fmt::format(", kind = \"{}\"", text("kind")), "batch or eval");
    evaluated_ = evaluated_ || text("kind") == "eval";
  }
  if (runs.empty()) throw InputError(field_, path_, "a header and rows of numbers");
  return runs;
}

/// The fewest of the rows' step sizes that, joined by lines, keep to all of them.
void keep_knots(const std::vector<double>& at, const std::vector<double>& value, std::size_t first,
                std::size_t last, double tolerance, std::vector<std::size_t>& kept) {
  double worst = tolerance;
  std::size_t split = first;
  for (std::size_t i = first + 1; i < last; ++i) {
    const double share = (at[i] - at[first]) / (at[last] - at[first]);
    const double off = std::abs(value[first] + share * (value[last] - value[first]) - value[i]);
    if (off > worst) {
      worst = off;
      split = i;
    }
  }
  if (split == first) {
    kept.push_back(last);
    return;
  }
  keep_knots(at, value, first, split, tolerance, kept);
  keep_knots(at, value, split, last, tolerance, kept);
}

Schedule schedule_of_rows(const std::vector<double>& at, const std::vector<double>& value,
                          const std::string& field) {
  const double largest = *std::max_element(value.begin(), value.end());
  if (!(largest > 0)) throw InputError(field + ": lr", largest, "a step size > 0 somewhere");
  if (largest - *std::min_element(value.begin(), value.end()) <= kSameStep * largest)
    return constant_schedule(value.front());
  std::vector<std::size_t> kept{0};
  keep_knots(at, value, 0, at.size() - 1, kSameStep * largest, kept);
  TabulatedSchedule table;
  for (const std::size_t i : kept) {
    table.at.push_back(at[i]);
    table.step.push_back(value[i]);
  }
  return make_schedule(table);
}

}  // namespace

LossFile read_loss_file(const std::string& path, const std::string& field) {
  LossLines lines(path, field);
  const std::map<std::string, LossRun> runs = lines.read();
  LossFile file;
  LossCurve& curve = file.curve;
  curve.name = std::filesystem::path(path).filename().string();
  curve.evaluated = lines.evaluated();
  file.has_step_size = lines.has("lr");

  // Steps that all runs have; where there are several, their scatter is the error.
  std::vector<double> step, loss, error, step_size;
  const auto count = static_cast<double>(runs.size());
  for (const auto& [at, row] : runs.begin()->second) {
    double sum = 0, squares = 0, errors = 0;
    bool everywhere = true;
    for (const auto& [name, run] : runs) {
      const auto found = run.find(at);
      if (found == run.end()) {
        everywhere = false;
        break;
      }
      sum += found->second.loss;
      squares += found->second.loss * found->second.loss;
      errors += found->second.error * found->second.error;
    }
    if (!everywhere) continue;
    step.push_back(at);
    loss.push_back(sum / count);
    step_size.push_back(row.step_size);
    error.push_back(lines.has("se")
                        ? std::sqrt(errors) / count
                        : std::sqrt(std::max(0.0, squares / count - sum * sum / count / count) /
                                    std::max(1.0, count - 1)));
  }
  const auto array = [](const std::vector<double>& x) {
    return ArrayXd(Eigen::Map<const ArrayXd>(x.data(), std::ssize(x)));
  };
  if (step.empty()) throw InputError(field, path, "steps that all of its runs have");
  curve.step = array(step);
  if (lines.has("loss")) curve.loss = array(loss);
  if (lines.has("loss") && (lines.has("se") || runs.size() > 2)) curve.error = array(error);
  if (file.has_step_size) curve.schedule = schedule_of_rows(step, step_size, field);
  return file;
}

}  // namespace riskcurve
