// Errors under a root that lasts (docs/theory/adaptive.md#a-root-that-lasts).
#include <algorithm>

#include "integrate/recursion.hpp"

namespace riskcurve {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

namespace {

constexpr double kFewSteps = 0.05;  // of the steps that v holds, and of an error
constexpr double kFirst = 2;        // steps; none has lasted before
constexpr double kLeastTilted = 1e-6;

ArrayXXd times(const ArrayXXd& tilted, const Eigen::MatrixXd& map) {
  return (tilted.matrix() * map.transpose()).array();
}

}  // namespace

/// The rates of mean errors; squares are left more. Noise of samples, which a filter holds too, is
/// not slowed.
void share_drift(const TiltedErrors& errors, BlockInstant& at) {
  if (errors.mean.size() > 0 && at.now.gamma > 0)
    at.excess = 2 / at.now.gamma * at.drift * (errors.share - errors.share_of_square);
  at.drift *= errors.share;
  if (at.before.size() > 0) at.before /= errors.share.square();
}

void tilt_errors(const Recursion& recursion, const BlockInstant& at, BlockState& state) {
  TiltedErrors& errors = state.errors;
  const RootOfSquares& root = *recursion.system().squares;
  const Index padded = recursion.padded();
  if (errors.progress.size() == 0) errors.progress.setZero(padded);
  errors.progress +=
      at.now.gamma * (errors.share.size() > 0 ? ArrayXd(at.drift / errors.share) : at.drift);
  errors.decay += at.now.gamma * at.chain.weight_decay;
  ++errors.steps;
  const double age = at.now.time + 1, memory = std::min(age, 1 / (1 - root.keep));
  if (age < kFirst || (errors.steps < kFewSteps * memory && errors.progress.maxCoeff() < kFewSteps))
    return;
  const RootTilts tilts = root.tilts(at.now, errors.steps);
  const bool decays = recursion.blocks().weight_decay.has_value();
  if (errors.share.size() == 0) {
    errors.square = ArrayXXd::Ones(padded, tilts.drift.cols());
    if (decays) errors.mean = errors.square;
    errors.share = errors.share_of_square = ArrayXd::Ones(padded);
  }
  const ArrayXd now = recursion.pad(recursion.squares(state)),
                start = recursion.pad(recursion.system().initial);
  // What is left of either in a mode, by how fast it falls there; between nodes it may cross zero.
  const auto left = [&](const ArrayXXd& tilted, double power) -> ArrayXXd {
    const ArrayXXd rate = (times(tilted, tilts.drift) / tilted.max(kLeastTilted)).max(0.0);
    return times(tilted, tilts.moved).max(0.0) *
           (-power * (rate.colwise() * errors.progress + errors.decay)).exp();
  };
  ArrayXXd square = left(errors.square, 2).colwise() * errors.squares;
  if (decays) {  // towards -theta* = Delta(0)
    square += errors.mean.colwise() * (2 * errors.decay * start);
    errors.mean = left(errors.mean, 1) + errors.decay;
  }
  square.colwise() += (now - square.col(0)).max(0.0);  // noise, the same under all v
  const ArrayXd all = square.col(0);
  for (Index i = 0; i < square.cols(); ++i)
    errors.square.col(i) = (all > 0).select(square.col(i) / all.max(1e-300), 1.0).max(kLeastTilted);
  const auto share = [&](const ArrayXXd& tilted) -> ArrayXd {
    return ((tilted.matrix() * tilts.drift.row(0).transpose()).array() / tilted.col(0).max(1e-300))
        .max(kLeastTilted);
  };
  errors.share_of_square = share(errors.square);
  errors.share = decays ? share(errors.mean) : errors.share_of_square;
  errors.progress.setZero();
  errors.squares = now;
  errors.steps = errors.decay = 0;
}

}  // namespace riskcurve
