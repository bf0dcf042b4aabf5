#include "dynamics/batch_samples.hpp"

#include <algorithm>
#include <vector>

namespace riskcurve {

BatchSample sample_batch(Random& random, const NoiseLaw& noise, double risk, int batch) {
  const double root = std::sqrt(2 * risk);
  BatchSample sum{};
  for (int i = 0; i < batch; ++i) {
    const double g = root * random.normal(), l = g - noise.sample(random);
    sum.square += l * l;
    sum.along += l * g;
  }
  return {sum.square / batch, sum.along / batch};
}

double typical_square(const NoiseLaw& noise, double risk) {
  Random random(1, 0, 2);
  std::vector<double> squares(1001);
  for (double& x : squares) x = sample_batch(random, noise, risk, 1).square;
  std::nth_element(squares.begin(), squares.begin() + 500, squares.end());
  return squares[500];
}

SharedNoise BatchMoves::shared(double risk, int sampled, int batch) const {
  const Eigen::Vector2d mean = sum_ / count_;
  const Eigen::Matrix2d both = mean * mean.transpose(),
                        scatter = (squares_ / count_ - both).cwiseQuotient(both) * sampled / batch;
  return {scatter(0, 0) - 2 * risk * mean[1] / (mean[0] * mean[0]) / batch, scatter(0, 1),
          scatter(1, 1)};
}

}  // namespace riskcurve
