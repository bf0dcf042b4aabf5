// Experiments as problem files.
#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "input/read_keys.hpp"
#include "riskcurve/input/input.hpp"

namespace riskcurve {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

template <class List>
std::string list_text(const List& list) {
  std::string text;
  for (const double x : list) text += (text.empty() ? "" : ", ") + number_text(x);
  return "[" + text + "]";
}

std::string inline_table(const Pairs& pairs) {
  std::string text;
  for (const auto& [key, value] : pairs) text += (text.empty() ? "" : ", ") + key + " = " + value;
  return text.empty() ? "{}" : "{ " + text + " }";
}

template <class Table>
Pairs key_pairs(const Table& table, const StepNames& names = {}, double unit = 1);
template <class Variant>
Pairs kind_pairs(const Variant& kind, const StepNames& names = {}, double unit = 1);

Pairs schedule_pairs(const Schedule& schedule, const StepNames& names, double unit) {
  if (std::holds_alternative<CustomSchedule>(schedule.shape))
    throw InputError("schedule.kind", "a function", "a kind that a problem file can state");
  Pairs pairs = kind_pairs(schedule.shape, names, unit);
  if (schedule.warmup > 0) pairs.emplace_back("warmup", number_text(schedule.warmup));
  return pairs;
}

/// The keys that a struct lists, as texts; empty where there is nothing to write.
class WriteKeys {
 public:
  WriteKeys(Pairs& pairs, StepNames names, double unit)
      : pairs_(pairs), names_(std::move(names)), unit_(unit) {}

  void operator()(const std::string& key, double x, const Range&) const {
    put(called(key), std::isnan(x) ? "" : number_text(x * factor(key)));
  }
  void operator()(const std::string& key, int x, const Range&) const {
    put(key, std::to_string(x));
  }
  void operator()(const std::string& key, bool x) const { put(key, x ? "true" : "false"); }
  void operator()(const std::string& key, const std::optional<double>& x, const Range&) const {
    put(key, x ? number_text(*x) : "");
  }
  void operator()(const std::string& key, std::vector<double> x, const Range&) const {
    for (double& value : x) value *= factor(key);
    put(called(key), x.empty() ? "" : list_text(x));
  }
  void operator()(const std::string& key, const std::array<double, 2>& x, const Range&) const {
    put(key, list_text(std::vector<double>(x.begin(), x.end())));
  }
  void operator()(const std::string& key, const File& x) const {
    put(key, x.path.empty() ? "" : quoted(x.path));
  }
  void operator()(const std::string& key, const Entries& x) const {
    std::string rows;
    if (x && (*x).cols() == 1) rows = list_text(Eigen::ArrayXd((*x).col(0)));
    if (x && (*x).cols() != 1) {
      for (Eigen::Index i = 0; i < (*x).rows(); ++i)
        rows += (i ? ", " : "") + list_text(Eigen::ArrayXd((*x).row(i)));
      rows = "[" + rows + "]";
    }
    put(key, rows);
  }
  template <class Enum, std::size_t n>
  void operator()(const std::string& key, Enum x, const Choice<Enum> (&choices)[n]) const {
    for (const auto& choice : choices)
      if (choice.value == x) put(key, quoted(choice.text));
  }
  void operator()(const std::string& key, const Schedule& threshold, const Range&) const {
    if (threshold.warmup == 0 && threshold.kind == ConstantSchedule::kind) {
      const double value = threshold(0);
      put(key, std::isnan(value) ? "" : number_text(value));
    } else {
      put(key, inline_table(schedule_pairs(threshold, {"value", "final_value"}, threshold.unit)));
    }
  }
  void operator()(const std::string& key, const std::optional<Schedule>& x, const Range& r) const {
    if (x)
      (*this)(key, *x, r);
    else
      put(key, "");
  }
  template <class Table>
  void operator()(const std::string& key, const std::optional<Table>& x) const {
    if constexpr (requires { std::variant_size<Table>::value; }) {
      put(key, x ? inline_table(kind_pairs(*x)) : "");
    } else {
      put(key, x ? inline_table(key_pairs(*x)) : "");
    }
  }
  void operator()(const std::string& key, const std::vector<NoiseComponent>& components) const {
    std::string text;
    for (const NoiseComponent& component : components) {
      Pairs pairs{{"weight", number_text(component.weight)}};
      for (auto& pair : kind_pairs(component.law)) pairs.push_back(std::move(pair));
      text += (text.empty() ? "" : ", ") + inline_table(pairs);
    }
    put(key, text.empty() ? "" : "[" + text + "]");
  }

 private:
  void put(const std::string& key, std::string text) const { pairs_.emplace_back(key, text); }
  std::string called(const std::string& key) const {
    return key == "step" ? names_.step : key == "final_step" ? names_.final_step : key;
  }
  double factor(const std::string& key) const {
    return key == "step" || key == "final_step" ? unit_ : 1;
  }
  Pairs& pairs_;
  StepNames names_;
  double unit_;
};

/// The keys that are not at their defaults.
template <class Table>
Pairs key_pairs(const Table& table, const StepNames& names, double unit) {
  Pairs written, defaults, pairs;
  Table::keys(table, WriteKeys(written, names, unit));
  const Table plain{};
  Table::keys(plain, WriteKeys(defaults, names, unit));
  for (std::size_t i = 0; i < written.size(); ++i)
    if (!written[i].second.empty() && written[i] != defaults[i]) pairs.push_back(written[i]);
  return pairs;
}

/// kind (or name), then its keys.
template <class Variant>
Pairs kind_pairs(const Variant& kind, const StepNames& names, double unit) {
  return std::visit(
      [&](const auto& of) {
        using Of = std::decay_t<decltype(of)>;
        Pairs pairs = key_pairs(of, names, unit);
        if constexpr (requires { Of::kind; }) {
          pairs.insert(pairs.begin(), {"kind", quoted(Of::kind)});
        } else {
          pairs.insert(pairs.begin(), {"name", quoted(Of::name)});
        }
        return pairs;
      },
      kind);
}

std::string lines(const Pairs& pairs) {
  std::string text;
  for (const auto& [key, value] : pairs) text += key + " = " + value + "\n";
  return text;
}

Entries column(const Eigen::ArrayXd& values) {
  return {std::make_shared<const Eigen::MatrixXd>(values.matrix())};
}

/// The target as it was stated, where it gives this problem's error; else the error itself.
VectorTarget stated(const VectorProblem& problem) {
  if (!std::holds_alternative<GivenTarget>(problem.target)) {
    const auto again = [&] {
      try {
        // A target may have added nodes to the spectrum of large data.
        return make_problem(problem.covariance.rows ? make_covariance(problem.covariance.made_from)
                                                    : problem.covariance,
                            problem.target, problem.noise, problem.start);
      } catch (const InputError&) {  // the file is gone, or the error was set by hand
        return VectorProblem{};
      }
    }();
    const bool same_error =
        problem.initial_error
            ? again.initial_error && same(*again.initial_error, *problem.initial_error)
            : !again.initial_error;
    const bool same_start =
        problem.theta_start ? again.theta_start && same(*again.theta_start, *problem.theta_start)
                            : !again.theta_start;
    if (same(again.initial, problem.initial) && same_error && same_start) return problem.target;
  }
  GivenTarget given{column(problem.initial)};
  if (problem.initial_error) given.coordinates = column(problem.initial_error->array());
  if (problem.theta_start) given.start = column(problem.theta_start->array());
  return given;
}

MatrixTarget stated(const MatrixProblem& problem) {
  if (!std::holds_alternative<GivenTarget>(problem.target)) {
    const MatrixProblem again =
        make_problem(problem.covariance_out, problem.covariance_in, problem.target, problem.noise);
    if (again == problem) return problem.target;
  }
  GivenTarget given{{std::make_shared<const Eigen::MatrixXd>(problem.initial.entries())}};
  if (problem.initial_error)
    given.coordinates = {std::make_shared<const Eigen::MatrixXd>(*problem.initial_error)};
  return given;
}

std::string problem_text(const VectorProblem& problem) {
  const VectorTarget target = stated(problem);
  Pairs pairs{{"covariance", inline_table(kind_pairs(problem.covariance.made_from))},
              {"target", inline_table(kind_pairs(target))}};
  const bool given = std::holds_alternative<GivenTarget>(target);
  if (!problem.start.path.path.empty() && !given)
    pairs.emplace_back("start",
                       "{ kind = \"file\", path = " + quoted(problem.start.path.path) + " }");
  if (!problem.row_residuals) {
    pairs.emplace_back("noise", inline_table(kind_pairs(problem.noise.made_from)));
  } else if (std::holds_alternative<FitTarget>(target)) {
    pairs.emplace_back("noise", "{ kind = \"residuals\" }");
  } else {
    pairs.emplace_back(
        "noise", "{ kind = \"residuals\", sample = " + list_text(*problem.row_residuals) + " }");
  }
  return lines(pairs);
}

std::string problem_text(const MatrixProblem& problem) {
  return lines({{"geometry", "\"matrix\""},
                {"covariance_out", inline_table(kind_pairs(problem.covariance_out.made_from))},
                {"covariance_in", inline_table(kind_pairs(problem.covariance_in.made_from))},
                {"target", inline_table(kind_pairs(stated(problem)))},
                {"noise", inline_table(kind_pairs(problem.noise.made_from))}});
}

std::string schedule_text(const Schedule& schedule, double dimension) {
  if (std::holds_alternative<DanaSchedule>(schedule.shape))
    throw InputError("schedule.kind", "\"dana\"", "a kind with a step: this is a momentum");
  // Scaled steps are written as such: times 1/d again, they are the same to the last bit.
  if (schedule.unit == 1 / dimension && schedule.unit != 1)
    return lines(schedule_pairs(schedule, {"scaled_step", "final_scaled_step"}, 1));
  return lines(schedule_pairs(schedule, {}, schedule.unit));
}

std::string optimizer_text(const Optimizer& optimizer, const Chain& chain) {
  Pairs pairs = kind_pairs(optimizer);
  if (chain.batch) {
    std::erase_if(pairs, [](const auto& pair) { return pair.first == "batch"; });
    Pairs batch = schedule_pairs(*chain.batch, {"value", "final_value"}, chain.batch->unit);
    pairs.emplace_back("batch", inline_table(batch));
  }
  for (auto& pair : key_pairs(chain)) pairs.push_back(std::move(pair));
  const bool has_a_default = std::visit(
      [](const auto& of) {
        return requires {
          of.weight_decay;
        };
      },
      optimizer);
  if (has_a_default && !chain.weight_decay) pairs.emplace_back("weight_decay", "0");
  return lines(pairs);
}

std::string run_text(const Run& run, Signal signal) {
  Pairs pairs{{"steps", number_text(run.steps)}};
  const auto points = static_cast<int>(run.at.size()) - 1;
  if (points < 1 || points > 1000000 || run.steps < 1) {
    pairs.emplace_back("at", list_text(run.at));
  } else if (run == run_for(run.steps, points)) {
    pairs.emplace_back("points", std::to_string(points));
  } else if (run == run_for(run.steps, points, Spacing::log)) {
    pairs.emplace_back("points", std::to_string(points));
    pairs.emplace_back("spacing", "\"log\"");
  } else {
    pairs.emplace_back("at", list_text(run.at));
  }
  for (const auto& choice : kSignals)
    if (signal == choice.value && signal != Signal::automatic)
      pairs.emplace_back("signal", "\"" + std::string(choice.text) + "\"");
  return lines(pairs);
}

}  // namespace

std::string to_toml(const Experiment& experiment) {
  return "[problem]\n" +
         std::visit([](const auto& problem) { return problem_text(problem); }, experiment.problem) +
         "\n[optimizer]\n" + optimizer_text(experiment.optimizer, experiment.chain) +
         "\n[schedule]\n" + schedule_text(experiment.schedule, experiment.dimension()) +
         "\n[run]\n" + run_text(experiment.run, experiment.signal);
}

}  // namespace riskcurve
