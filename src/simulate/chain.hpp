#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>
#include <variant>
#include <vector>

#include "riskcurve/problem/chain.hpp"
#include "riskcurve/problem/optimizer.hpp"

namespace riskcurve {

/// Whether the chain pulls towards theta = 0, and so must know where it is.
inline bool pulls(const Chain& chain) {
  return chain.weight_decay || chain.l2 > 0;
}

inline bool averages(const Chain& chain) {
  return chain.average || chain.schedule_free;
}
inline int workers_of(const Chain& chain) {
  return chain.local ? chain.local->workers : 1;
}
/// What an optimizer's momentum is: a sum of updates that heeds `dampening`, a sum of gradients, or
/// their average.
enum class Buffer { dampened, sum, average };
inline Buffer buffer_of(const Optimizer& optimizer) {
  return std::visit(
      []<class Of>(const Of&) {
        if constexpr (requires { Of::sees_scale; }) return Buffer::average;
        if constexpr (TakesMomentum<Of>)
          if (Of::momentum == Momentum::after) return Buffer::dampened;
        return Buffer::sum;
      },
      optimizer);
}

/// Makes a gradient the update; may remember those before it.
template <class Point>
using GradientMap = std::function<void(Point& gradient)>;
/// Makes a map that has seen nothing, one for each copy of the parameters; empty: gradients are
/// updates.
template <class Point>
using MakeMap = std::function<GradientMap<Point>()>;

/// A chain as it is run (problem/chain.hpp), around an update of a vector or a matrix. Points are
/// Delta = theta - theta*.
template <class Point>
class ChainRun {
 public:
  /// From Delta_0. target: theta*, where the chain pulls.
  ChainRun(const Chain& chain, const Schedule& step_size, Buffer buffer,
           const MakeMap<Point>& make_map, Point start, Point target)
      : chain_(chain),
        step_size_(step_size),
        buffer_(buffer),
        new_share_(buffer == Buffer::dampened ? 1 - chain.dampening : 1),
        target_(std::move(target)),
        update_(start),
        copies_(static_cast<std::size_t>(workers_of(chain))) {
    if (averages(chain)) average_ = start;
    if (chain.schedule_free) fast_ = start;
    if (chain.lookahead) slow_ = start;
    if (chain.local) {
      outer_ = start;
      outer_momentum_ = Point::Zero(start.rows(), start.cols());
    }
    for (Copy& copy : copies_) {
      copy.at = start;
      if (make_map) copy.map = make_map();
    }
  }

  /// Step k = 0, 1, ... in turn. compute(worker, at, update) writes what momentum adds up, for the
  /// point of a worker, one after the other; its map, if any, makes that the update.
  template <class Compute>
  void step(long k, const Compute& compute) {
    const auto now = static_cast<double>(k);
    const double gamma = step_size_(now);
    for (std::size_t worker = 0; worker < copies_.size(); ++worker) {
      Copy& copy = copies_[worker];
      compute(static_cast<int>(worker), std::as_const(copy.at), update_);
      if (chain_.l2 > 0) update_ += chain_.l2 * (copy.at + target_);
      if (chain_.momentum) add_up(copy, (*chain_.momentum)(now));
      if (copy.map) copy.map(update_);
      if (chain_.weight_decay) update_ += (*chain_.weight_decay)(now) * (copy.at + target_);
      (chain_.schedule_free ? fast_ : copy.at) -= gamma * update_;
    }
    if (chain_.schedule_free) mix_in(gamma);
    if (chain_.lookahead && ends(k, chain_.lookahead->sync_period)) {
      mix(slow_, chain_.lookahead->slow_step_size, copies_[0].at);
      copies_[0].at = slow_;
    }
    if (chain_.local && ends(k, chain_.local->steps)) meet();
    if (chain_.average) mix(average_, share_of(*chain_.average, now + 1), copies_[0].at);
  }

  /// Where gradients are taken: theta, y of schedule_free, worker 0's.
  const Point& point() const { return copies_[0].at; }
  /// The average; x of schedule_free.
  const Point& average() const { return average_; }

 private:
  struct Copy {
    Point at, momentum;  // momentum: empty before the first step
    GradientMap<Point> map;
  };

  static bool ends(long k, double period) { return (k + 1) % static_cast<long>(period) == 0; }
  static void mix(Point& mean, double share, const Point& next) {
    mean = (1 - share) * mean + share * next;
  }
  static double share_of(const Average& average, double steps) {
    if (const auto* ema = std::get_if<EmaAverage>(&average)) return 1 - ema->decay;
    const double counted = steps - std::get<UniformAverage>(average).start;
    return counted > 1 ? 1 / counted : 1;
  }

  void add_up(Copy& copy, double momentum) {
    if (buffer_ == Buffer::average) {
      if (copy.momentum.size() == 0) copy.momentum = Point::Zero(update_.rows(), update_.cols());
      mix(copy.momentum, 1 - momentum, update_);
      if (chain_.nesterov)
        mix(update_, momentum, copy.momentum);
      else
        update_ = copy.momentum;
      return;
    }
    if (copy.momentum.size() == 0)
      copy.momentum = update_;
    else
      copy.momentum = momentum * copy.momentum + new_share_ * update_;
    if (chain_.nesterov)
      update_ += momentum * copy.momentum;
    else
      update_ = copy.momentum;
  }

  void mix_in(double gamma) {
    const ScheduleFree& free = *chain_.schedule_free;
    const double weight = std::pow(gamma, free.weight_lr_power);
    weights_ += weight;
    mix(average_, weights_ > 0 ? weight / weights_ : 1, fast_);
    copies_[0].at = (1 - free.beta) * fast_ + free.beta * average_;
  }

  void meet() {
    const LocalSteps& local = *chain_.local;
    update_ = copies_[0].at;
    for (std::size_t worker = 1; worker < copies_.size(); ++worker) update_ += copies_[worker].at;
    update_ = outer_ - update_ / static_cast<double>(copies_.size());
    outer_momentum_ = local.outer_momentum * outer_momentum_ + update_;
    outer_ -= local.outer_step * (update_ + local.outer_momentum * outer_momentum_);
    for (Copy& copy : copies_) copy.at = outer_;
  }

  const Chain& chain_;
  const Schedule& step_size_;
  const Buffer buffer_;
  const double new_share_;  // of a new update in the momentum
  const Point target_;
  Point update_;
  std::vector<Copy> copies_;
  Point average_, fast_, slow_, outer_, outer_momentum_;
  double weights_ = 0;
};

}  // namespace riskcurve
