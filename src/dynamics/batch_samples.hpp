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

/// Weights over lags: of the newest, of the one before, and what each later one has of the last.
struct LagMemory {
  double first, later, beta;
  double memory() const { return 1 / (1 - beta); }
};

/// What directions share (docs/theory/bands.md) through the linear part of updates m/sqrt(v), m the
/// gradients by one memory and v their power by another. A batch moves all updates that remember it
/// by D each: X = D l g and Y = q D^2. Larger batches than are drawn scatter less. Sampled.
SharedNoise sampled_shared(BatchDraws& draws, double risk, int batch, const LagMemory& gradient,
                           const LagMemory& power);

}  // namespace riskcurve
