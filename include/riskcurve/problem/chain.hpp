#pragma once
#include <optional>
#include <string>
#include <variant>

#include "riskcurve/problem/keys.hpp"
#include "riskcurve/problem/schedule.hpp"

namespace riskcurve {

// What stands around an optimizer's update, as its users state it: keys of [optimizer], named as in
// PyTorch and optax. Both theory and Monte Carlo read it; no optimizer knows of it.

/// A moving average of the iterates, A <- decay A + (1 - decay) theta, from theta_0.
struct EmaAverage {
  static constexpr const char* kind = "ema";
  double decay = 0.999;
  bool operator==(const EmaAverage&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("decay", self.decay, Range::within(0, 1));
  }
};
/// The mean of the iterates after the first `start` steps; before, the iterate itself.
struct UniformAverage {
  static constexpr const char* kind = "uniform";
  double start = 0;
  bool operator==(const UniformAverage&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("start", self.start, Range::wholes(0, 1e15));
  }
};
using Average = std::variant<EmaAverage, UniformAverage>;

/// Gradients at y = (1 - beta) z + beta x; z takes the optimizer's steps, x is their mean weighted
/// by gamma^weight_lr_power: x <- (1 - c) x + c z, c_n = gamma_n^p/sum_(i <= n) gamma_i^p, 1 while
/// that sum is 0. Weight decay acts at y. Source: arXiv 2405.15682.
struct ScheduleFree {
  double beta = 0.9, weight_lr_power = 0;
  bool operator==(const ScheduleFree&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("beta", self.beta, Range{0, 1, false, true});
    key("weight_lr_power", self.weight_lr_power, Range::within(0, 16));
  }
};

/// Every sync_period steps slow <- slow + slow_step_size (theta - slow), theta <- slow; momentum
/// goes on.
/// Source: arXiv 1907.08610.
struct Lookahead {
  double sync_period = kRequired, slow_step_size = 0.5;
  bool operator==(const Lookahead&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("sync_period", self.sync_period, Range::wholes(1, 1e9));
    key("slow_step_size", self.slow_step_size, Range{0, 1, true, false});
  }
};

/// `workers` copies take `steps` steps each on batches of their own, then G = outer - mean of the
/// copies, m <- outer_momentum m + G, outer <- outer - outer_step (G + outer_momentum m), and all
/// copies go on from there; their own buffers stay with them. DiLoCo; source: arXiv 2311.08105.
struct LocalSteps {
  int workers = 8;
  double steps = kRequired, outer_step = 0.7, outer_momentum = 0.9;
  bool operator==(const LocalSteps&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("workers", self.workers, Range::wholes(1, 1e6));
    key("steps", self.steps, Range::wholes(1, 1e9));
    key("outer_step", self.outer_step, Range::positive());
    key("outer_momentum", self.outer_momentum, Range{0, 1, false, true});
  }
};

/// One step k, g the batch's gradient, u the optimizer's map:
///   g <- g + l2 theta (where the map clips, after it);
///   maps that are linear but for a clip (sgd, preconditioned_sgd, clipped_sgd), as
///   torch.optim.SGD: m <- momentum m + (1 - dampening) u(g) (the first time m = u(g)), and the
///   update is m, or u(g) + momentum m with nesterov;
///   maps that ignore scale (sign_sgd): m <- momentum m + g, and the update is u(m), or
///   u(g + momentum m); dampening changes nothing;
///   theta <- theta - gamma(k) (update + weight_decay(k) theta),
/// then lookahead, or the workers' meeting, then averages. With schedule_free theta on the right is
/// y and that on the left z. Default: nothing, the bare update.
struct Chain {
  std::optional<Schedule> momentum;  ///< in [0, 1); empty: 0
  bool nesterov = false;
  double dampening = 0;
  std::optional<Schedule> weight_decay;  ///< decoupled, as AdamW and Muon have it; empty: 0
  double l2 = 0;                         ///< as torch.optim.SGD's own weight_decay
  std::optional<Average> average;
  std::optional<ScheduleFree> schedule_free;
  std::optional<Lookahead> lookahead;
  std::optional<LocalSteps> local;
  /// A batch that changes along the run, rounded to whole samples, at least 1; its stated values
  /// are >= 1. Empty: the optimizer's own.
  std::optional<Schedule> batch;

  bool empty() const { return *this == Chain{}; }
  bool operator==(const Chain&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("momentum", self.momentum, Range{0, 1, false, true});
    key("nesterov", self.nesterov);
    key("dampening", self.dampening, Range::within(0, 1));
    key("weight_decay", self.weight_decay, Range::non_negative());
    key("l2", self.l2, Range::non_negative());
    key("average", self.average);
    key("schedule_free", self.schedule_free);
    key("lookahead", self.lookahead);
    key("local", self.local);
  }
};

/// " + nesterov momentum + weight decay": what a title adds to the optimizer's name.
std::string describe(const Chain& chain);

}  // namespace riskcurve
