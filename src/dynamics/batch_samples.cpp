#include "dynamics/batch_samples.hpp"

#include <algorithm>
#include <utility>

namespace riskcurve {

BatchDraw draw_batch(Random& random, const NoiseLaw& noise, int batch) {
  BatchDraw sum{};
  for (int i = 0; i < batch; ++i) {
    const double z = random.normal(), epsilon = noise.sample(random);
    sum.zz += z * z;
    sum.ze += z * epsilon;
    sum.ee += epsilon * epsilon;
  }
  return {sum.zz / batch, sum.ze / batch, sum.ee / batch};
}

std::shared_ptr<const std::vector<BatchDraw>> BatchDraws::first(std::size_t count) {
  const std::lock_guard<std::mutex> hold(lock_);
  if (draws_ && draws_->size() >= count) return draws_;
  auto longer = draws_ ? *draws_ : std::vector<BatchDraw>();
  longer.reserve(count);
  while (longer.size() < count) longer.push_back(draw_batch(random_, noise_, batch_));
  return draws_ = std::make_shared<const std::vector<BatchDraw>>(std::move(longer));
}

BatchSample BatchDraw::at(double risk) const {
  const double root = std::sqrt(2 * risk), gg = 2 * risk * zz;
  // Rounded differences of what is nearly equal stay within what the three allow.
  const double square = std::max(gg - 2 * root * ze + ee, 1e-30 * (gg + ee));
  const double most = std::sqrt(square * gg);
  return {square, std::clamp(gg - root * ze, -most, most)};
}

double typical_square(const NoiseLaw& noise, double risk) {
  Random random(1, 0, 2);
  std::vector<double> squares(1001);
  for (double& x : squares) x = draw_batch(random, noise, 1).at(risk).square;
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
