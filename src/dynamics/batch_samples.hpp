#pragma once
#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "problem/random.hpp"
#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/problem/noise.hpp"

namespace riskcurve {

// Batches of residuals l = g - epsilon, g = sqrt(2R) z, sampled for what has no integral of few
// dimensions: how updates with a memory answer to single batches.

/// Means over a batch of l^2 and of l g.
struct BatchSample {
  double square, along;
};
/// Of one batch at any risk: means of z^2, z epsilon and epsilon^2.
struct BatchDraw {
  double zz, ze, ee;
  BatchSample at(double risk) const;
};
BatchDraw draw_batch(Random& random, const NoiseLaw& noise, int batch);

/// Larger batches are alike: q is nearly constant.
constexpr int kMostDrawn = 64;

/// One sequence of batches, of which whoever asks is given the first so many: those of a risk are
/// those of any. Safe from several threads.
class BatchDraws {
 public:
  BatchDraws(const NoiseLaw& noise, int batch, std::uint64_t number)
      : noise_(noise), batch_(batch), random_(1, 0, number) {}
  std::shared_ptr<const std::vector<BatchDraw>> first(std::size_t count);

 private:
  NoiseLaw noise_;
  int batch_;
  Random random_;
  std::mutex lock_;
  std::shared_ptr<const std::vector<BatchDraw>> draws_;
};

/// The median of l^2, sampled.
double typical_square(const NoiseLaw& noise, double risk);

/// Batches that move all updates which remember them by D each, in units of which their noise has
/// the power q D^2 and their signal the weight l g D.
class BatchMoves {
 public:
  void add(const BatchSample& sample, double d) {
    const Eigen::Vector2d moved(sample.along * d, sample.square * d * d);
    sum_ += moved;
    squares_ += moved * moved.transpose();
    all_.square += sample.square;
    all_.along += sample.along;
    ++count_;
  }
  double size() const { return sum_[1] / count_; }             ///< E q D^2
  double slope() const { return sum_[0] / all_.along; }        ///< E l g D/E l g
  double mean_square() const { return all_.square / count_; }  ///< E q
  /// What directions share (docs/theory/bands.md), X = D l g and Y = q D^2, of batches of `batch`
  /// where `sampled` were drawn: larger ones scatter less.
  SharedNoise shared(double risk, int sampled, int batch) const;

 private:
  Eigen::Vector2d sum_ = Eigen::Vector2d::Zero();
  Eigen::Matrix2d squares_ = Eigen::Matrix2d::Zero();
  BatchSample all_{};
  double count_ = 0;
};

}  // namespace riskcurve
