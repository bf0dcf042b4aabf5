#include "input/read.hpp"

#include <cmath>

#include "input/read_keys.hpp"
#include "problem/data.hpp"
#include "problem/named.hpp"

namespace riskcurve {
namespace {

/// What is wrong with a value as a whole is told by the full name of its key.
template <class F>
auto in_table(const Fields& fields, F&& f) {
  return named(fields.name(""), f);
}

/// `horizon` of a schedule that has one, where it is not in the file.
struct DefaultHorizon {
  double horizon;
  template <class Shape>
  void operator()(Shape& shape) const {
    if constexpr (requires { shape.horizon; }) shape.horizon = horizon;
  }
};

template <class Shapes>
Schedule read_named(const Fields& fields, const StepNames& names, double horizon, double unit) {
  ScheduleShape shape;
  if (fields.has("file") && fields.one_of("kind", kinds_of<Shapes>()) == "tabulated") {
    const Eigen::MatrixXd table = read_matrix(fields.path("file"), fields.name("file"));
    if (table.cols() != 2) fields.fail("file", "two columns: steps and values");
    shape = TabulatedSchedule{{table.col(0).begin(), table.col(0).end()},
                              {table.col(1).begin(), table.col(1).end()}};
  } else {
    shape = std::visit(
        [](auto&& of) -> ScheduleShape { return of; },
        read_kind<Shapes>(fields, "kind", ReadKeys(fields, names), DefaultHorizon{horizon}));
  }
  const double warmup = fields.number_or("warmup", 0, Range::positive());
  return in_table(fields, [&] { return make_schedule(shape, warmup, unit); });
}

/// Marks the keys of all optimizers as asked for.
struct AskFor {
  const Fields& fields;
  template <class... Rest>
  void operator()(const char* key, Rest&&...) const {
    fields.has(key);
  }
};
template <std::size_t i = 0>
void ask_for_all(const Fields& fields) {
  if constexpr (i < std::variant_size_v<Optimizer>) {
    std::variant_alternative_t<i, Optimizer> other;
    std::variant_alternative_t<i, Optimizer>::keys(other, AskFor{fields});
    ask_for_all<i + 1>(fields);
  }
}

}  // namespace

void ReadKeys::operator()(const char* key, Schedule& threshold, const Range&) const {
  threshold = read_threshold(fields_, key, horizon_);
}

void ReadKeys::operator()(const char* key, std::optional<Schedule>& x, const Range& range) const {
  if (!fields_.has(key)) return;
  if (fields_.is_table(key)) {
    const auto read =
        std::string_view(key) == "momentum" ? read_named<MomentumShape> : read_named<StatedShape>;
    x = read(fields_.table(key), {"value", "final_value"}, horizon_, 1);
    return;
  }
  const double value = fields_.number(key, range);
  x.reset();
  if (value > 0) x = constant_schedule(value);
}

void ReadKeys::operator()(const char* key, std::vector<NoiseComponent>& components) const {
  for (const Fields& component : fields_.tables(key)) {
    const double weight = component.number("weight", Range::positive());
    components.push_back({weight, read_kind<NoiseKind>(component)});
  }
}

Covariance read_covariance(const Fields& fields) {
  const CovarianceKind kind = read_kind<CovarianceKind>(fields);
  Covariance result = in_table(fields, [&] { return make_covariance(kind); });
  const bool given =
      std::visit([](const auto& of) { return of.orientation == Orientation::given; }, kind);
  if (given && fields.has("orientation") && !result.matrix)
    fields.fail("orientation", "\"generic\": K is too large to be held");
  return result;
}

NoiseLaw read_noise(const Fields& fields) {
  const NoiseKind kind = read_kind<NoiseKind>(fields);
  // Its own errors begin with "noise."
  const std::string table = fields.name("");
  const std::string parent = table.size() > 6 ? table.substr(0, table.size() - 6) : "";
  return named(parent, [&] { return noise_law(kind); });
}

VectorProblem read_vector_problem(const Fields& fields) {
  Covariance covariance = read_covariance(fields.table("covariance"));
  const Fields table = fields.table("target");
  const VectorTarget target = read_kind<VectorTarget>(table);
  Start start;
  if (fields.has("start")) {
    const Fields from = fields.table("start");
    if (from.one_of("kind", {"zero", "file"}) == "file") start.path.path = from.path("path");
  }
  std::optional<NoiseLaw> noise;
  std::optional<Eigen::ArrayXd> residuals;
  if (fields.has("noise")) {
    const Fields law = fields.table("noise");
    if (law.text_or("kind", "") != "residuals") {
      noise = read_noise(law);
    } else if (law.has("sample")) {
      residuals = law.matrix("sample").reshaped();
    } else if (!std::holds_alternative<FitTarget>(target)) {
      law.fail("kind", "another kind: residuals need a target of kind \"fit\"");
    }
  }
  return in_table(fields, [&] {
    if (residuals) noise = empirical_noise(*residuals);
    VectorProblem problem = make_problem(std::move(covariance), target, noise, start);
    if (residuals) problem.row_residuals = residuals;
    validate(problem);
    return problem;
  });
}

MatrixProblem read_matrix_problem(const Fields& fields) {
  Covariance out = read_covariance(fields.table("covariance_out"));
  Covariance in = read_covariance(fields.table("covariance_in"));
  const MatrixTarget target = read_kind<MatrixTarget>(fields.table("target"));
  NoiseLaw noise = fields.has("noise") ? read_noise(fields.table("noise")) : no_noise();
  return in_table(fields, [&] {
    return make_problem(std::move(out), std::move(in), target, std::move(noise));
  });
}

Optimizer read_optimizer(const Fields& fields, double horizon, OtherKeys others) {
  if (others == OtherKeys::allowed) ask_for_all(fields);
  return read_kind<Optimizer>(fields, "name", ReadKeys(fields, {}, horizon), [](auto&) {});
}

Schedule read_batch(const Fields& optimizer, double horizon) {
  const Schedule batch =
      read_named<StatedShape>(optimizer.table("batch"), {"value", "final_value"}, horizon, 1);
  check_values(optimizer.name("batch"), batch, Range::within(kBatch.low, kBatch.high));
  return batch;
}

Chain read_chain(const Fields& optimizer, double horizon) {
  Chain chain;
  Chain::keys(chain, ReadKeys(optimizer, {}, horizon));
  if (optimizer.is_table("batch")) chain.batch = read_batch(optimizer, horizon);
  return chain;
}

Schedule read_schedule(const Fields& fields, double dimension, double horizon) {
  fields.one_of("kind", kinds_of<StatedShape>());
  const bool raw = fields.has("step") || fields.has("file"), scaled = fields.has("scaled_step");
  if (raw && scaled) fields.fail("scaled_step", "either step or scaled_step, not both");
  if (!raw && !scaled) throw InputError(fields.name("step"), "missing", "step or scaled_step");
  if (raw) return read_named<StatedShape>(fields, {"step", "final_step"}, horizon, 1);
  return read_named<StatedShape>(fields, {"scaled_step", "final_scaled_step"}, horizon,
                                 1 / dimension);
}

Schedule read_threshold(const Fields& optimizer, const std::string& key, double horizon) {
  if (!optimizer.is_table(key)) return constant_schedule(optimizer.number(key, Range::positive()));
  const Fields table = optimizer.table(key);
  const Schedule threshold = read_named<StatedShape>(table, {"value", "final_value"}, horizon, 1);
  // A threshold of zero, but for an instant at either end of a table, would clip everything away.
  if (const auto* list = std::get_if<TabulatedSchedule>(&threshold.shape))
    for (std::size_t i = 1; i + 1 < list->step.size(); ++i)
      check_range(table.name("value") + "[" + std::to_string(i) + "]", list->step[i],
                  Range::positive());
  if (const auto* list = std::get_if<PiecewiseSchedule>(&threshold.shape))
    for (std::size_t i = 0; i < list->step.size(); ++i)
      check_range(table.name("value") + "[" + std::to_string(i) + "]", list->step[i],
                  Range::positive());
  return threshold;
}

Run read_run(const Fields& fields) {
  const double steps = fields.integer("steps", Range::within(1, 1e15));
  if (!fields.has("at")) {
    const auto points = static_cast<int>(fields.integer_or("points", 50, Range::within(1, 1e6)));
    const bool log = fields.has("spacing") && fields.one_of("spacing", {"linear", "log"}) == "log";
    return run_for(steps, points, log ? Spacing::log : Spacing::linear);
  }
  for (const char* key : {"points", "spacing"})
    if (fields.has(key)) fields.fail(key, "no such key beside `at`");
  const std::vector<double> at = fields.numbers("at", Range::wholes(0, steps));
  if (at.empty()) fields.fail("at", "at least one step");
  for (std::size_t i = 1; i < at.size(); ++i)
    if (at[i] <= at[i - 1])
      throw InputError(fields.name("at") + "[" + std::to_string(i) + "]", at[i],
                       "increasing whole numbers");
  return {steps, Eigen::Map<const Eigen::ArrayXd>(at.data(), std::ssize(at))};
}

void read_update(const Fields& optimizer, double horizon, Experiment& experiment,
                 OtherKeys others) {
  experiment.optimizer = read_optimizer(optimizer, horizon, others);
  experiment.chain = read_chain(optimizer, horizon);
  std::visit(
      [&](const auto& of) {  // a key of the optimizer's own
        if constexpr (requires { of.nesterov; }) experiment.chain.nesterov = false;
        if constexpr (requires { of.momentum + 1.0; }) experiment.chain.momentum.reset();
        if constexpr (requires { of.weight_decay; })
          if (!optimizer.has("weight_decay"))
            experiment.chain.weight_decay = constant_schedule(of.weight_decay);
      },
      experiment.optimizer);
}

Experiment read_experiment(const Fields& file, OtherKeys others) {
  Experiment experiment;
  const Fields problem = file.table("problem"), schedule = file.table("schedule"),
               optimizer = file.table("optimizer");
  experiment.run = read_run(file.table("run"));
  ReadKeys(file.table("run"))("signal", experiment.signal, kSignals);
  if (problem.has("geometry") && problem.one_of("geometry", {"vector", "matrix"}) == "matrix") {
    experiment.problem = read_matrix_problem(problem);
  } else {
    experiment.problem = read_vector_problem(problem);
  }
  experiment.schedule = read_schedule(schedule, experiment.dimension(), experiment.run.steps);
  read_update(optimizer, experiment.run.steps, experiment, others);
  file.reject_unknown();
  validate(experiment);
  return experiment;
}

Experiment read_experiment(const std::string& path) {
  return read_experiment(Fields::from_file(path));
}

Experiment parse_experiment(const std::string& toml) {
  return read_experiment(Fields::from_text(toml));
}

Covariance read_covariance(const std::string& path) {
  const Fields fields = Fields::from_file(path).table("problem").table("covariance");
  Covariance covariance = read_covariance(fields);
  fields.reject_unknown();
  return covariance;
}

}  // namespace riskcurve
