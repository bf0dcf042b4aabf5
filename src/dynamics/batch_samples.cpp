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

SharedNoise sampled_shared(BatchDraws& draws, double risk, int batch, const LagMemory& gradient,
                           const LagMemory& power) {
  const double memory = std::max(gradient.memory(), power.memory());
  const auto steps = static_cast<std::size_t>(std::clamp(400 * memory, 2e4, 1e5));
  const auto warm = static_cast<std::size_t>(12 * memory) + 2;
  const auto drawn = draws.first(steps + 2 * warm);
  std::vector<BatchSample> batches(steps + 2 * warm);
  std::vector<double> inverse(batches.size());
  double past = 0;
  for (std::size_t k = 0; k < batches.size(); ++k) {
    batches[k] = (*drawn)[k].at(risk);
    inverse[k] = 1 / std::sqrt(power.first * batches[k].square + power.later * past);
    past = power.beta * past + batches[k].square;
  }
  // Backwards: D of each batch that is met by all who remember it.
  double rest = 0, count = 0;
  Eigen::Vector2d sum = Eigen::Vector2d::Zero();
  Eigen::Matrix2d squares = Eigen::Matrix2d::Zero();
  for (std::size_t k = batches.size(); k-- > warm;) {
    const double d = gradient.first * inverse[k] + gradient.later * rest;
    rest = gradient.beta * rest + inverse[k];
    if (k + warm >= batches.size()) continue;
    const Eigen::Vector2d moved(batches[k].along * d, batches[k].square * d * d);
    sum += moved;
    squares += moved * moved.transpose();
    ++count;
  }
  const Eigen::Vector2d mean = sum / count;
  const double fewer = static_cast<double>(std::min(batch, kMostDrawn)) / batch;
  const Eigen::Matrix2d both = mean * mean.transpose(),
                        scatter = (squares / count - both).cwiseQuotient(both) * fewer;
  return {scatter(0, 0) - 2 * risk * mean[1] / (mean[0] * mean[0]) / batch, scatter(0, 1),
          scatter(1, 1)};
}

}  // namespace riskcurve
