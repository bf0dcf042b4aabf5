#include "riskcurve/analysis/phases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>

#include "cli/command.hpp"
#include "cli/outputs.hpp"
#include "cli/progress.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve::cli {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

struct Options {
  double dimension = 1e6;
  int batch = 0;
  std::string sides = "one";
  std::vector<double> alpha{0.2, 1.5}, beta{0, 1.5}, horizons{10, 1e6};
  int points = 40, per_decade = 1, threads = 0;
  bool schedules = false;
  Outputs outputs;
};

/// The plane: column i holds the points of alpha[i], one for each beta.
struct Plane {
  ArrayXd alpha, beta;
  std::vector<std::vector<PhasePoint>> column;
  ArrayXXd map(const std::function<double(const PhasePoint&)>& value) const {
    ArrayXXd all(alpha.size(), beta.size());
    for (Index i = 0; i < alpha.size(); ++i)
      for (Index j = 0; j < beta.size(); ++j)
        all(i, j) = value(column[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)]);
    return all;
  }
};

ArrayXd between(const std::string& option, const std::vector<double>& ends, int count) {
  if (!(ends[0] < ends[1]))
    throw InputError(option, fmt::format("{} {}", ends[0], ends[1]), "two numbers, the first less");
  return ArrayXd::LinSpaced(count, ends[0], ends[1]);
}

PhasePlan plan_of(const Options& options) {
  PhasePlan plan;
  plan.dimension = options.dimension;
  if (options.batch == 0 && options.dimension > 2e9)
    throw InputError("--batch", "missing", "a batch, where --dimension is above 2e9");
  plan.batch = options.batch > 0 ? options.batch : static_cast<int>(options.dimension);
  plan.sides = options.sides == "two" ? Sides::both : Sides::in;
  plan.schedules = options.schedules;
  const double first = options.horizons[0], last = options.horizons[1];
  if (!(first > 0 && last > first))
    throw InputError("--horizons", fmt::format("{} {}", first, last),
                     "two numbers of steps > 0, the first less");
  const auto count = static_cast<Index>(
      std::max(2.0, std::round(options.per_decade * std::log10(last / first)) + 1));
  plan.horizon = ArrayXd::LinSpaced(count, std::log(first), std::log(last)).exp();
  return plan;
}

/// Columns in parallel; which thread takes which changes no number.
void fill(Plane& plane, const PhasePlan& plan, int threads, Progress& progress) {
  std::atomic<std::size_t> next{0}, done{0};
  std::mutex lock;
  std::exception_ptr error;
  const auto work = [&] {
    for (std::size_t i; (i = next++) < plane.column.size();) {
      try {
        plane.column[i] = phase_column(plan, plane.alpha[static_cast<Index>(i)], plane.beta);
        ++done;
        const std::lock_guard<std::mutex> guard(lock);
        if (!progress(static_cast<double>(done) / static_cast<double>(plane.column.size())))
          throw Failure("interrupted");
      } catch (...) {
        const std::lock_guard<std::mutex> guard(lock);
        if (!error) error = std::current_exception();
        next = plane.column.size();
      }
    }
  };
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::thread> crew;
  for (int i = 1; i < (threads > 0 ? threads : cores); ++i) crew.emplace_back(work);
  work();
  for (std::thread& thread : crew) thread.join();
  if (error) std::rethrow_exception(error);
}

constexpr Phase kPhases[] = {Phase::sign_sgd, Phase::trade_off, Phase::sign_svd, Phase::tie};
constexpr char kLetters[] = {'S', '+', 'V', '='};
const char* const kMeaning[] = {"SignSGD ahead at every horizon", "the order changes",
                                "SignSVD ahead at every horizon", "within 1 % at every horizon"};
std::size_t index_of(Phase phase) {
  return static_cast<std::size_t>(std::ranges::find(kPhases, phase) - std::begin(kPhases));
}

/// Where the two derived exponents are equal: the border of the order at long horizons.
Series border(const Plane& plane, Sides sides) {
  std::vector<double> x, y;
  constexpr int fine = 400;
  const auto lead = [&](double a, double b) {
    return sign_sgd_exponent(a, b, sides) - sign_svd_exponent(a, b, sides);
  };
  const ArrayXd beta = ArrayXd::LinSpaced(fine, plane.beta[0], plane.beta[plane.beta.size() - 1]);
  for (const double a :
       ArrayXd::LinSpaced(fine, plane.alpha[0], plane.alpha[plane.alpha.size() - 1]))
    for (Index j = 1; j < fine; ++j)
      if (a > 0 && lead(a, beta[j - 1]) < 0 && lead(a, beta[j]) > 0) {
        x.push_back(a);
        y.push_back(beta[j]);
      }
  const auto array = [](const std::vector<double>& v) {
    return ArrayXd(Eigen::Map<const ArrayXd>(v.data(), static_cast<Index>(v.size())));
  };
  return {Series::Style::dashes, "equal exponents (derived)", array(x), array(y), {}};
}

std::string text_map(const Plane& plane) {
  std::string text;
  for (Index j = plane.beta.size() - 1; j >= 0; --j) {
    text += fmt::format("{:>6.3f}  ", plane.beta[j]);
    for (const std::vector<PhasePoint>& column : plane.column)
      text += kLetters[index_of(column[static_cast<std::size_t>(j)].phase)];
    text += '\n';
  }
  text += fmt::format("  beta  alpha = {:g} .. {:g}\n", plane.alpha[0],
                      plane.alpha[plane.alpha.size() - 1]);
  const double all = static_cast<double>(plane.alpha.size() * plane.beta.size());
  for (std::size_t k = 0; k < std::size(kPhases); ++k) {
    const double share =
        plane.map([&](const PhasePoint& p) { return p.phase == kPhases[k] ? 1.0 : 0.0; }).sum();
    if (share > 0)
      text += fmt::format("\n{}  {:.0f} %  {}", kLetters[k], 100 * share / all, kMeaning[k]);
  }
  return text;
}

Figure figure_of(const Plane& plane, const std::string& title, const ArrayXXd& value) {
  Figure figure;
  figure.title = title;
  figure.x_label = "data exponent α";
  figure.y_label = "target exponent β";
  figure.map = HeatMap{plane.alpha, plane.beta, value, {}};
  return figure;
}

int run(const Options& options) {
  check(options.outputs);
  const PhasePlan plan = plan_of(options);
  Plane plane{between("--alpha", options.alpha, options.points),
              between("--beta", options.beta, options.points),
              std::vector<std::vector<PhasePoint>>(static_cast<std::size_t>(options.points))};
  {
    Progress progress("mapping");
    fill(plane, plan, options.threads, progress);
  }

  Result result;
  result.title = fmt::format(
      "SignSGD against SignSVD, {} power law, N = {:g}, batch {}, {} at each of {} horizons {:g} "
      ".. "
      "{:g}",
      plan.sides == Sides::both ? "two-sided" : "one-sided", plan.dimension, plan.batch,
      plan.schedules ? "optimal schedule" : "best step", plan.horizon.size(), plan.horizon[0],
      plan.horizon[plan.horizon.size() - 1]);
  const Index points = plane.alpha.size() * plane.beta.size(), horizons = plan.horizon.size();
  const auto flat = [&](const std::function<double(const PhasePoint&)>& value) {
    return ArrayXd(plane.map(value).transpose().reshaped());
  };
  Record map;
  map.column("alpha", flat([](const PhasePoint& p) { return p.alpha; }));
  map.column("beta", flat([](const PhasePoint& p) { return p.beta; }));
  map.column("phase", flat([](const PhasePoint& p) {
               return p.phase == Phase::tie ? NAN : static_cast<double>(index_of(p.phase)) - 1;
             }));
  const auto exponents = [&](const std::string& name, Exponent PhasePoint::*member,
                             double (*asymptotic)(double, double, Sides)) {
    map.column(name + "_exponent", flat([&](const PhasePoint& p) { return (p.*member).value; }));
    map.column(name + "_exponent_error",
               flat([&](const PhasePoint& p) { return (p.*member).error; }));
    map.column(name + "_exponent_asymptotic",
               flat([&](const PhasePoint& p) { return asymptotic(p.alpha, p.beta, plan.sides); }));
  };
  exponents("sign_sgd", &PhasePoint::sign_sgd_exponent, &sign_sgd_exponent);
  exponents("sign_svd", &PhasePoint::sign_svd_exponent, &sign_svd_exponent);
  for (const auto& [name, member] : {std::pair("sign_sgd_risk", &PhasePoint::sign_sgd),
                                     std::pair("sign_svd_risk", &PhasePoint::sign_svd)}) {
    ArrayXXd risk(points, horizons);
    for (Index h = 0; h < horizons; ++h)
      risk.col(h) = flat([&, member = member](const PhasePoint& p) { return (p.*member)[h]; });
    map.column(name, risk);
  }
  result.record.set("dimension", plan.dimension);
  result.record.set("batch", static_cast<long>(plan.batch));
  result.record.set("sides", options.sides);
  result.record.set("step", std::string(plan.schedules ? "optimal schedule" : "best constant"));
  result.record.set("horizons", plan.horizon);
  result.record.set("map", map);
  result.notes.push_back(text_map(plane));

  result.figure = figure_of(
      plane, fmt::format("who wins, T = {:g} .. {:g}", plan.horizon[0], plan.horizon[horizons - 1]),
      plane.map([](const PhasePoint& p) { return static_cast<double>(index_of(p.phase)); }));
  result.figure.map->classes.assign(std::begin(kMeaning), std::begin(kMeaning) + 3);
  if ((result.figure.map->value == 3).any()) result.figure.map->classes.push_back(kMeaning[3]);
  result.figure.series = {border(plane, plan.sides)};
  for (const auto& [name, member] : {std::pair("SignSGD", &PhasePoint::sign_sgd_exponent),
                                     std::pair("SignSVD", &PhasePoint::sign_svd_exponent)})
    result.beside.push_back(
        figure_of(plane, fmt::format("fitted exponent e of {}, R ~ T^-e", name),
                  plane.map([member = member](const PhasePoint& p) { return (p.*member).value; })));
  return emit(result, options.outputs);
}

}  // namespace

void add_phases(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "phases", "SignSGD against SignSVD on power laws: a map over (alpha, beta)");
  command->add_option("--dimension", options->dimension, "N of the N x N matrix")
      ->check(CLI::Range(1.0, 1e15))
      ->capture_default_str();
  command->add_option("--batch", options->batch, "batch (default: N)")
      ->check(CLI::Range(1, std::numeric_limits<int>::max()));
  command->add_option("--sides", options->sides, "one: K_out = I; two: both sides power laws")
      ->check(CLI::IsMember({"one", "two"}))
      ->capture_default_str();
  command->add_option("--alpha", options->alpha, "eigenvalues j^(-2 alpha): from, to")->expected(2);
  command->add_option("--beta", options->beta, "target j^(-2 beta): from, to")->expected(2);
  command->add_option("--points", options->points, "points along either axis")
      ->check(CLI::Range(2, 400))
      ->capture_default_str();
  command->add_option("--horizons", options->horizons, "steps T: from, to")->expected(2);
  command->add_option("--per-decade", options->per_decade, "horizons in a decade")
      ->check(CLI::Range(1, 20))
      ->capture_default_str();
  command->add_flag("--schedules", options->schedules,
                    "each at its optimal schedule, not its best constant step (slow)");
  command->add_option("--threads", options->threads, "threads, 0 for all; changes no number")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  add_outputs(*command, options->outputs);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace riskcurve::cli
