#include "riskcurve/analysis/phases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>

#include "cli/command.hpp"
#include "cli/outputs.hpp"
#include "cli/progress.hpp"
#include "cli/ranks.hpp"
#include "cli/tables.hpp"
#include "riskcurve/analysis/phase_table.hpp"
#include "riskcurve/dynamics/optimizers.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve::cli {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

struct PhasesArguments {
  std::vector<std::string> optimizers{"sign_sgd", "sign_svd"};
  double dimension = 1e6;
  int batch = 0;
  std::string sides = "one";
  std::vector<double> momentum{0, 0};
  std::vector<double> alpha{0.2, 1.5}, beta{0, 1.5}, horizons{10, 1e6};
  int points = 40, per_decade = 1;
  bool schedules = false, small = false;
  TableOptions table;
  Outputs outputs;
};

ArrayXd between(const std::string& option, const std::vector<double>& ends, int count) {
  if (!(ends[0] < ends[1]))
    throw InputError(option, fmt::format("{} {}", ends[0], ends[1]), "two numbers, the first less");
  return ArrayXd::LinSpaced(count, ends[0], ends[1]);
}

/// Those to choose from: of a matrix, with all their parameters at defaults.
std::vector<Optimizer> choices() {
  const std::vector<std::string> known = optimizer_names(true);
  std::vector<Optimizer> found = default_optimizers();
  std::erase_if(found, [&](const Optimizer& optimizer) {
    return std::find(known.begin(), known.end(), name_of(optimizer)) == known.end();
  });
  return found;
}

std::string choice_text() {
  std::string text;
  for (const Optimizer& optimizer : choices())
    text += (text.empty() ? "" : ", ") + name_of(optimizer);
  return text;
}

std::array<Optimizer, 2> pair_of(const std::vector<std::string>& names) {
  const auto fail = [](const std::string& value) {
    throw InputError("--optimizers", value, "two different ones of " + choice_text());
  };
  if (names.size() != 2 || names[0] == names[1]) fail(fmt::format("{}", fmt::join(names, ",")));
  const auto optimizer = [&](const std::string& name) {
    const std::vector<Optimizer> all = choices();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Optimizer& of) { return name_of(of) == name; });
    if (found == all.end()) fail(name);
    return *found;
  };
  return {optimizer(names[0]), optimizer(names[1])};
}

PhasePlan plan_of(const PhasesArguments& options) {
  PhasePlan plan;
  plan.optimizers = pair_of(options.optimizers);
  plan.momentum = {options.momentum[0], options.momentum[1]};
  plan.dimension = options.dimension;
  if (options.batch == 0 && options.dimension > 2e9)
    throw InputError("--batch", "missing", "a batch, where --dimension is above 2e9");
  plan.batch = options.batch > 0 ? options.batch : static_cast<int>(options.dimension);
  plan.sides = options.sides == "two" ? Sides::both : Sides::in;
  plan.schedules = options.schedules;
  plan.small = options.small;
  const double first = options.horizons[0], last = options.horizons[1];
  if (!(first > 0 && last > first))
    throw InputError("--horizons", fmt::format("{} {}", first, last),
                     "two numbers of steps > 0, the first less");
  const auto count = static_cast<Index>(
      std::max(2.0, std::round(options.per_decade * std::log10(last / first)) + 1));
  plan.horizon = ArrayXd::LinSpaced(count, std::log(first), std::log(last)).exp();
  return plan;
}

/// With its momentum.
std::string title_of(const PhasePlan& plan, std::size_t which) {
  const std::string title = title_of(plan.optimizers[which]);
  const double momentum = plan.momentum[which];
  return momentum > 0 ? fmt::format("{} with momentum {:g}", title, momentum) : title;
}

/// How the map shows its phases, in the order of phase_table. The first optimizer by its initial;
/// the second by another letter of its title, a capital if there is one.
struct Legend {
  std::string letters;
  std::array<std::string, 4> meaning;
};
Legend legend_of(const std::array<Optimizer, 2>& optimizers) {
  const std::string first = title_of(optimizers[0]), second = title_of(optimizers[1]);
  const auto upper = [](char c) { return static_cast<char>(std::toupper(c)); };
  const char initial = upper(first[0]);
  std::string candidates;
  std::copy_if(second.begin(), second.end(), std::back_inserter(candidates),
               [](char c) { return std::isupper(c); });
  std::transform(second.begin(), second.end(), std::back_inserter(candidates), upper);
  const char other = candidates[candidates.find_first_not_of(initial)];
  return {{initial, '+', other, '='},
          {first + " ahead at every horizon", "the order changes",
           second + " ahead at every horizon", "within 1 % at every horizon"}};
}

std::string text_map(const Legend& legend, const ArrayXd& alpha, const ArrayXd& beta,
                     const ArrayXXd& phase) {
  std::string text;
  for (Index j = beta.size() - 1; j >= 0; --j) {
    text += fmt::format("{:>6.3f}  ", beta[j]);
    for (const double p : phase.col(j)) text += legend.letters[static_cast<std::size_t>(p)];
    text += '\n';
  }
  text += fmt::format("  beta  alpha = {:g} .. {:g}\n", alpha[0], alpha[alpha.size() - 1]);
  for (std::size_t k = 0; k < 4; ++k) {
    const auto here = phase == static_cast<double>(k);
    if (here.any())
      text += fmt::format("\n{}  {:2.0f} %  {}", legend.letters[k],
                          100 * here.cast<double>().mean(), legend.meaning[k]);
  }
  return text;
}

/// The trust numbers from the least to the largest on the map.
std::string trust_note(const Record& map, const std::array<Optimizer, 2>& optimizers) {
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
  std::string text =
      fmt::format("\ntrust: intrinsic dimension {}, rank {}, signal {} of the noise,\n",
                  among("intrinsic_dimension"), among("rank"), among("signal"));
  std::string rates;
  for (const Optimizer& optimizer : optimizers) {
    const std::string range = among(name_of(optimizer) + "_step_rate");
    const bool stated = rates.find("fastest") != std::string::npos, none = std::isinf(least);
    rates += fmt::format("{}{} ({})", rates.empty() ? "" : ", ",
                         none     ? "solved step by step or in leaps"
                         : stated ? range
                                  : "fastest mode " + range + " a step",
                         title_of(optimizer));
  }
  return text + rates;
}

Series border(const PhasePlan& plan, const ArrayXd& alpha, const ArrayXd& beta) {
  const PhaseBorder equal = phase_border(plan.optimizers, {alpha[0], alpha[alpha.size() - 1]},
                                         {beta[0], beta[beta.size() - 1]}, plan.sides);
  return {Series::Style::dashes, "equal exponents (derived)", equal.alpha, equal.beta, {}};
}

int run(const PhasesArguments& options) {
  check(options.outputs);
  check_journal(options.table, "--out", !options.outputs.out.empty());
  const PhasePlan plan = plan_of(options);
  const ArrayXd alpha = between("--alpha", options.alpha, options.points),
                beta = between("--beta", options.beta, options.points);
  if (!(alpha[0] > 0)) throw InputError("--alpha", alpha[0], "numbers > 0");
  // Of the steepest data: few directions are what approximations suffer from.
  std::vector<std::string> warnings = phase_warnings(plan, alpha[alpha.size() - 1]);
  const Table table = phase_table(plan, alpha, beta);
  const std::string journal = journal_beside(options.outputs.out);
  TableOutcome outcome;
  {
    Progress progress("mapping");
    TableOptions table_options = options.table;
    table_options.progress = std::ref(progress);
    outcome = fill(table, journal, table_options);
  }
  if (ended_as_shard(options.table, outcome, !journal.empty(),
                     table.rows_each > 1 ? "columns" : "points"))
    return exit_ok;

  Result result;
  const double first = plan.horizon[0], last = plan.horizon[plan.horizon.size() - 1];
  const std::string first_title = title_of(plan, 0), second_title = title_of(plan, 1);
  result.title = fmt::format(
      "{} against {}, {}-sided power law, N = {:g}, batch {}: {} for each of {} "
      "horizons, "
      "{:g} .. {:g} steps",
      first_title, second_title, options.sides, plan.dimension, plan.batch,
      plan.schedules ? "optimal schedule" : "best step", plan.horizon.size(), first, last);
  const Record map = to_record(table.columns, outcome.rows);
  const auto values = [&](const std::string& column) {
    const auto& flat = std::get<ArrayXd>(map.find(column)->value);
    return ArrayXXd(flat.reshaped(beta.size(), alpha.size()).transpose());
  };
  result.record.set("optimizers", options.optimizers);
  if (plan.momentum != std::array<double, 2>{})
    result.record.set("momentum", ArrayXd(Eigen::Map<const ArrayXd>(plan.momentum.data(), 2)));
  result.record.set("dimension", plan.dimension);
  result.record.set("batch", static_cast<long>(plan.batch));
  result.record.set("sides", options.sides);
  result.record.set("step", std::string(plan.schedules ? "optimal schedule" : "best constant"));
  result.record.set("horizons", plan.horizon);
  result.record.set("map", map);
  const std::string points =
      untrusted_points(std::get<std::vector<std::string>>(map.find("untrusted")->value));
  if (!points.empty()) warnings.push_back(points);
  result.record.set("warnings", warnings);
  const Legend legend = legend_of(plan.optimizers);
  result.notes = {text_map(legend, alpha, beta, values("phase")), trust_note(map, plan.optimizers)};

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
  result.figure.map->classes.assign(legend.meaning.begin(), legend.meaning.begin() + classes);
  result.figure.series = {border(plan, alpha, beta)};
  for (const Optimizer& optimizer : plan.optimizers)
    result.beside.push_back(
        panel(fmt::format("fitted exponent e of {}, R ~ T^-e", title_of(optimizer)),
              name_of(optimizer) + "_exponent"));
  result.journal = journal;
  return emit(result, options.outputs);
}

}  // namespace

void add_phases(CLI::App& app, Action& action) {
  auto options = std::make_shared<PhasesArguments>();
  CLI::App* command = app.add_subcommand(
      "phases",
      "two optimizers, SignSGD and SignSVD or others, on power laws: a map over (alpha, beta)");
  command
      ->add_option("--optimizers", options->optimizers,
                   "the two, a,b, at their default parameters, of " + choice_text())
      ->delimiter(',')
      ->default_str("sign_sgd,sign_svd");
  command->add_option("--momentum", options->momentum, "of the two, a,b (none)")
      ->delimiter(',')
      ->expected(2)
      ->check(CLI::Range(0.0, 1.0));
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
                    "each at its optimal schedule, not its best constant step (slow); small "
                    "signals");
  command->add_flag("--small", options->small,
                    "by the rates of small signals, which are quicker and do not hold on most of "
                    "the map");
  add_table(*command, options->table, "go on with an unfinished map (--out)");
  add_outputs(*command, options->outputs);
  command->callback([options, &action] {
    action = [options] { return on_all_ranks(options->table, [&] { return run(*options); }); };
  });
}

}  // namespace riskcurve::cli
