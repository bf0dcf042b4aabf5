#include "riskcurve/analysis/phases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>

#include "cli/command.hpp"
#include "cli/outputs.hpp"
#include "cli/progress.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

struct PhasesArguments {
  double dimension = 1e6;
  int batch = 0;
  std::string sides = "one";
  std::vector<double> alpha{0.2, 1.5}, beta{0, 1.5}, horizons{10, 1e6};
  int points = 40, per_decade = 1;
  bool schedules = false;
  TableOptions table;
  Outputs outputs;
};

ArrayXd between(const std::string& option, const std::vector<double>& ends, int count) {
  if (!(ends[0] < ends[1]))
    throw InputError(option, fmt::format("{} {}", ends[0], ends[1]), "two numbers, the first less");
  return ArrayXd::LinSpaced(count, ends[0], ends[1]);
}

PhasePlan plan_of(const PhasesArguments& options) {
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

constexpr Phase phases[] = {Phase::sign_sgd, Phase::trade_off, Phase::sign_svd, Phase::tie};
constexpr char letters[] = {'S', '+', 'V', '='};
const char* const meanings[] = {"SignSGD ahead at every horizon", "the order changes",
                                "SignSVD ahead at every horizon", "within 1 % at every horizon"};

/// One point of the table is a column of the map; its rows run over beta.
Table table_of(const PhasePlan& plan, const ArrayXd& alpha, const ArrayXd& beta) {
  Table table;
  table.columns = {"alpha", "beta", "phase"};
  for (const std::string name : {"sign_sgd", "sign_svd"})
    for (const std::string end : {"exponent", "exponent_error", "exponent_derived"})
      table.columns.push_back(name + "_" + end);
  for (const std::string name : {"sign_sgd", "sign_svd"})
    for (Index h = 1; h <= plan.horizon.size(); ++h)
      table.columns.push_back(fmt::format("{}_risk_{}", name, h));
  for (const char* number : {"intrinsic_dimension", "participation", "signal", "rank"})
    table.columns.emplace_back(number);
  for (const std::string name : {"sign_sgd", "sign_svd"})
    for (Index h = 1; h <= plan.horizon.size(); ++h)
      table.columns.push_back(fmt::format("{}_step_rate_{}", name, h));
  table.columns.emplace_back("untrusted");
  table.identity = fmt::format("phases {} {} {} {}", plan.dimension, plan.batch,
                               static_cast<int>(plan.sides), plan.schedules);
  for (const ArrayXd& list : {alpha, beta, plan.horizon})
    for (const double x : list) table.identity += fmt::format(" {}", x);
  table.points = alpha.size();
  table.rows_each = beta.size();
  table.rows = [&plan, &alpha, &beta](long point) {
    std::vector<std::vector<Cell>> rows;
    for (const PhasePoint& p : phase_column(plan, alpha[point], beta)) {
      const auto phase =
          std::find(std::begin(phases), std::end(phases), p.phase) - std::begin(phases);
      std::vector<Cell> row{p.alpha, p.beta, static_cast<double>(phase)};
      const auto exponent = [&](const Exponent& e, double derived) {
        row.insert(row.end(), {e.value, e.error, derived});
      };
      exponent(p.sign_sgd_exponent, sign_sgd_exponent(p.alpha, p.beta, plan.sides));
      exponent(p.sign_svd_exponent, sign_svd_exponent(p.alpha, p.beta, plan.sides));
      row.insert(row.end(), p.sign_sgd.begin(), p.sign_sgd.end());
      row.insert(row.end(), p.sign_svd.begin(), p.sign_svd.end());
      row.insert(row.end(), {p.trust.intrinsic_dimension, p.trust.participation, p.trust.signal,
                             p.trust.rank});
      row.insert(row.end(), p.sign_sgd_step_rate.begin(), p.sign_sgd_step_rate.end());
      row.insert(row.end(), p.sign_svd_step_rate.begin(), p.sign_svd_step_rate.end());
      Trust worst = p.trust;
      worst.step_rate = std::max(p.sign_sgd_step_rate.maxCoeff(), p.sign_svd_step_rate.maxCoeff());
      row.emplace_back(untrusted(worst));
      rows.push_back(row);
    }
    return rows;
  };
  return table;
}

std::string text_map(const ArrayXd& alpha, const ArrayXd& beta, const ArrayXXd& phase) {
  std::string text;
  for (Index j = beta.size() - 1; j >= 0; --j) {
    text += fmt::format("{:>6.3f}  ", beta[j]);
    for (const double p : phase.col(j)) text += letters[static_cast<int>(p)];
    text += '\n';
  }
  text += fmt::format("  beta  alpha = {:g} .. {:g}\n", alpha[0], alpha[alpha.size() - 1]);
  for (int k = 0; k < 4; ++k)
    if ((phase == k).any())
      text += fmt::format("\n{}  {:2.0f} %  {}", letters[k],
                          100 * (phase == k).cast<double>().mean(), meanings[k]);
  return text;
}

/// The trust numbers from the least to the largest on the map.
std::string trust_note(const Record& map) {
  double least = 0, most = 0;
  const auto among = [&](const std::string& columns) {
    least = std::numeric_limits<double>::infinity(), most = 0;
    for (const Field& field : map.fields())
      if (field.name.starts_with(columns)) {
        const auto& values = std::get<ArrayXd>(field.value);
        least = std::min(least, values.minCoeff()), most = std::max(most, values.maxCoeff());
      }
    return fmt::format("{:.2g} .. {:.2g}", least, most);
  };
  return fmt::format(
      "\ntrust: intrinsic dimension {}, rank {}, signal {} of the noise,\n"
      "fastest mode {} a step (SignSGD), {} (SignSVD)",
      among("intrinsic_dimension"), among("rank"), among("signal"), among("sign_sgd_step_rate"),
      among("sign_svd_step_rate"));
}

Series border(const ArrayXd& alpha, const ArrayXd& beta, Sides sides) {
  const PhaseBorder equal =
      phase_border({alpha[0], alpha[alpha.size() - 1]}, {beta[0], beta[beta.size() - 1]}, sides);
  return {Series::Style::dashes, "equal exponents (derived)", equal.alpha, equal.beta, {}};
}

int run(const PhasesArguments& options) {
  check(options.outputs);
  if (options.table.resume && options.outputs.out.empty())
    throw InputError("--resume", "without --out", "--out X: X.partial is what it goes on with");
  const PhasePlan plan = plan_of(options);
  const ArrayXd alpha = between("--alpha", options.alpha, options.points),
                beta = between("--beta", options.beta, options.points);
  if (!(alpha[0] > 0)) throw InputError("--alpha", alpha[0], "numbers > 0");
  const Table table = table_of(plan, alpha, beta);
  const std::string journal = options.outputs.out.empty() ? "" : options.outputs.out + ".partial";
  TableOutcome outcome;
  {
    Progress progress("mapping");
    TableOptions table_options = options.table;
    table_options.progress = std::ref(progress);
    outcome = fill(table, journal, table_options);
  }
  if (!outcome.complete)
    throw Failure(journal.empty() ? "interrupted"
                                  : fmt::format("interrupted: {} of {} columns are saved; --resume "
                                                "goes on",
                                                outcome.done, table.points));

  Result result;
  const double first = plan.horizon[0], last = plan.horizon[plan.horizon.size() - 1];
  result.title = fmt::format(
      "SignSGD against SignSVD, {}-sided power law, N = {:g}, batch {}: {} for each of {} "
      "horizons, "
      "{:g} .. {:g} steps",
      options.sides, plan.dimension, plan.batch, plan.schedules ? "optimal schedule" : "best step",
      plan.horizon.size(), first, last);
  const Record map = to_record(table.columns, outcome.rows);
  const auto values = [&](const std::string& column) {
    const auto& flat = std::get<ArrayXd>(map.find(column)->value);
    return ArrayXXd(flat.reshaped(beta.size(), alpha.size()).transpose());
  };
  result.record.set("dimension", plan.dimension);
  result.record.set("batch", static_cast<long>(plan.batch));
  result.record.set("sides", options.sides);
  result.record.set("step", std::string(plan.schedules ? "optimal schedule" : "best constant"));
  result.record.set("horizons", plan.horizon);
  result.record.set("map", map);
  const std::string points =
      untrusted_points(std::get<std::vector<std::string>>(map.find("untrusted")->value));
  result.record.set("warnings", points.empty() ? std::vector<std::string>{} : std::vector{points});
  result.notes = {text_map(alpha, beta, values("phase")), trust_note(map)};

  const auto panel = [&](const std::string& title, const std::string& column) {
    Figure figure;
    figure.title = title;
    figure.x_label = "data exponent α";
    figure.y_label = "target exponent β";
    figure.map = HeatMap{alpha, beta, values(column), {}};
    return figure;
  };
  result.figure = panel(fmt::format("who wins, T = {:g} .. {:g}", first, last), "phase");
  const int classes = result.figure.map->value.maxCoeff() > 2 ? 4 : 3;
  result.figure.map->classes.assign(meanings, meanings + classes);
  result.figure.series = {border(alpha, beta, plan.sides)};
  result.beside = {panel("fitted exponent e of SignSGD, R ~ T^-e", "sign_sgd_exponent"),
                   panel("fitted exponent e of SignSVD, R ~ T^-e", "sign_svd_exponent")};
  const int code = emit(result, options.outputs);
  if (!journal.empty()) std::filesystem::remove(journal);
  return code;
}

}  // namespace

void add_phases(CLI::App& app, Action& action) {
  auto options = std::make_shared<PhasesArguments>();
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
  command->add_option("--alpha", options->alpha, "eigenvalues j^(-2 alpha): from, to (0.2 1.5)")
      ->expected(2);
  command->add_option("--beta", options->beta, "target j^(-2 beta): from, to (0 1.5)")->expected(2);
  command->add_option("--points", options->points, "points along either axis")
      ->check(CLI::Range(2, 400))
      ->capture_default_str();
  command->add_option("--horizons", options->horizons, "steps T: from, to (10 1e6)")->expected(2);
  command->add_option("--per-decade", options->per_decade, "horizons in a decade")
      ->check(CLI::Range(1, 20))
      ->capture_default_str();
  command->add_flag("--schedules", options->schedules,
                    "each at its optimal schedule, not its best constant step (slow)");
  command->add_flag("--resume", options->table.resume, "go on with an unfinished map (--out)");
  command->add_option("--threads", options->table.threads, "threads, 0 for all; changes no number")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  add_outputs(*command, options->outputs);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace riskcurve::cli
