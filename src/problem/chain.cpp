#include "riskcurve/problem/chain.hpp"

#include <fmt/format.h>

#include "riskcurve/problem/problem.hpp"

namespace riskcurve {
namespace {

/// A schedule as an error shows it.
std::string text_of(const Schedule& schedule) {
  return schedule.kind == ConstantSchedule::kind ? number_text(schedule(0))
                                                 : "\"" + schedule.kind + "\"";
}

void check_numbers(const Chain& chain) {
  const std::string prefix = "optimizer.";
  if (chain.momentum) check_values(prefix + "momentum", *chain.momentum, Range{0, 1, false, true});
  if (chain.weight_decay)
    check_values(prefix + "weight_decay", *chain.weight_decay, Range::non_negative());
  if (chain.batch)
    check_values(prefix + "batch", *chain.batch, Range::within(kBatch.low, kBatch.high));
  check_keys(chain, prefix);
  if (chain.average)
    std::visit([&](const auto& of) { check_keys(of, prefix + "average."); }, *chain.average);
  if (chain.schedule_free) check_keys(*chain.schedule_free, prefix + "schedule_free.");
  if (chain.lookahead) check_keys(*chain.lookahead, prefix + "lookahead.");
  if (chain.local) check_keys(*chain.local, prefix + "local.");
}

void refuse_beside(const std::string& key, const char* other) {
  throw InputError("optimizer." + key, "(given)", fmt::format("no {} beside it", other));
}

void check_parts(const Chain& chain) {
  if (chain.nesterov && !chain.momentum)
    throw InputError("optimizer.nesterov", "true", "a momentum beside it");
  if (chain.nesterov && chain.dampening != 0)
    throw InputError("optimizer.dampening", chain.dampening, "0 beside nesterov");
  if (chain.schedule_free) {
    // It averages and looks ahead by itself, in place of momentum.
    if (chain.momentum) refuse_beside("schedule_free", "momentum");
    if (chain.average) refuse_beside("schedule_free", "average");
    if (chain.lookahead) refuse_beside("schedule_free", "lookahead");
    if (chain.local) refuse_beside("schedule_free", "local");
  }
  if (chain.local && chain.average) refuse_beside("local", "average");
  if (chain.local && chain.lookahead) refuse_beside("local", "lookahead");
}

template <class Of>
void check_beside(const Chain& chain, const Of&) {
  if constexpr (requires { Of::remembers; }) {
    const auto expected = fmt::format("none beside {}, which has averages of its own", Of::name);
    if (chain.momentum) throw InputError("optimizer.momentum", text_of(*chain.momentum), expected);
    if (chain.schedule_free) throw InputError("optimizer.schedule_free", "(given)", expected);
  } else if constexpr (!TakesMomentum<Of>) {
    if (chain.momentum)
      throw InputError("optimizer.momentum", text_of(*chain.momentum),
                       fmt::format("0 with {}, which takes none", Of::name));
  }
  if constexpr (!requires { Of::l2; }) {
    if (chain.l2 != 0)
      throw InputError(
          "optimizer.l2", chain.l2,
          fmt::format("0 with {}, which takes no l2 theta in its gradient; weight_decay "
                      "goes with every optimizer",
                      Of::name));
  }
}

}  // namespace

void validate(const Experiment& experiment) {
  const Chain& chain = experiment.chain;
  if (chain.empty()) return;
  check_numbers(chain);
  check_parts(chain);
  std::visit([&](const auto& of) { check_beside(chain, of); }, experiment.optimizer);
  if (experiment.is_matrix()) {
    if (chain.l2 != 0)
      throw InputError("optimizer.l2", chain.l2,
                       "0 for a matrix, where it is not derived; weight_decay is");
    return;
  }
  const VectorProblem& problem = experiment.vector();
  if ((chain.weight_decay || chain.l2 != 0) && !problem.start.path.path.empty() &&
      !problem.theta_start)
    throw InputError("problem.start.kind", "\"file\"",
                     "\"zero\" beside weight_decay or l2 where eigenvectors are not known: they "
                     "pull towards 0 from a theta_0 that has then no direction");
}

std::string describe(const Chain& chain) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += " + " + part; };
  if (chain.momentum) add(chain.nesterov ? "nesterov momentum" : "momentum");
  if (chain.weight_decay) add("weight decay");
  if (chain.l2 != 0) add("l2");
  if (chain.schedule_free) add("schedule-free");
  if (chain.lookahead) add("lookahead");
  if (chain.local)
    add(fmt::format("{} worker{}", chain.local->workers, chain.local->workers == 1 ? "" : "s"));
  if (chain.average)
    add(std::visit([](const auto& of) { return std::string(of.kind); }, *chain.average) +
        " average");
  return text;
}

}  // namespace riskcurve
