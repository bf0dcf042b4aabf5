#include "dynamics/batches.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <vector>

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

constexpr std::size_t kBatchNodes = 16;

int batch_at(const Schedule& batch, double k) {
  return static_cast<int>(std::max(1.0, std::round(batch(std::floor(k)))));
}

/// Times at which a schedule is looked at: its breaks, evenly between them, and after the last one
/// at growing distances.
std::vector<double> looks(const Schedule& batch) {
  constexpr int between = 1024;
  std::vector<double> times{0};
  for (const double k : batch.breaks) {
    const double from = times.back();
    for (int i = 1; i < between; ++i) times.push_back(from + (k - from) * i / between);
    times.insert(times.end(), {std::max(0.0, std::ceil(k) - 1), k});
  }
  for (double apart = 1; apart < 1e15; apart *= 1.05) times.push_back(times.back() + apart);
  return times;
}

/// All different batches, or kBatchNodes between the least and the largest.
std::vector<double> nodes_of(const Schedule& batch) {
  std::set<int> met;
  for (const double k : looks(batch)) met.insert(batch_at(batch, k));
  if (met.size() <= kBatchNodes) return {met.begin(), met.end()};
  const double low = *met.begin(), high = *met.rbegin();
  std::vector<double> nodes;
  for (std::size_t i = 0; i < kBatchNodes; ++i) {
    const double y = std::cos(M_PI * static_cast<double>(i) / (kBatchNodes - 1));
    nodes.push_back(std::round(std::exp(0.5 * (std::log(low * high) - y * std::log(high / low)))));
  }
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  return nodes;
}

/// Columns of several systems, proportional ones held once.
struct SharedColumns {
  ArrayXXd all;
  /// Of each system and column: which of `all`, and times what.
  std::vector<std::vector<std::pair<Index, double>>> of;

  void add(const ArrayXXd& columns) {
    of.emplace_back();
    for (Index q = 0; q < columns.cols(); ++q) {
      const ArrayXd column = columns.col(q);
      const double norm = column.abs().maxCoeff();
      // Of the same place in another system: places differ in what enters where (Blocks::before).
      Index found = -1;
      double ratio = 0;
      for (std::size_t other = 0; other + 1 < of.size() && found < 0; ++other) {
        if (q >= std::ssize(of[other])) continue;
        const Index p = of[other][static_cast<std::size_t>(q)].first;
        ratio = norm / all.col(p).abs().maxCoeff();
        if (std::isfinite(ratio) && ((column - ratio * all.col(p)).abs() <= 1e-12 * norm).all())
          found = p;
      }
      if (found < 0) {
        all.conservativeResize(columns.rows(), all.cols() + 1);
        found = all.cols() - 1;
        all.col(found) = column;
        ratio = 1;
      }
      of.back().emplace_back(found, ratio);
    }
  }
  void spread(std::size_t system, const ArrayXd& factors, double weight, ArrayXd& to) const {
    for (Index q = 0; q < factors.size(); ++q) {
      const auto& [column, ratio] = of[system][static_cast<std::size_t>(q)];
      to[column] += weight * ratio * factors[q];
    }
  }
};

struct Batches {
  Schedule batch;
  std::vector<double> node;
  std::vector<ModeSystem> system;
  SharedColumns drift, diffusion;

  /// Of the nodes, at batch b.
  std::vector<double> weights(double b) const {
    std::vector<double> w(node.size(), 0.0);
    for (std::size_t i = 0; i < node.size(); ++i)
      if (node[i] == b) {
        w[i] = 1;
        return w;
      }
    double total = 0;  // barycentric, of points that are no longer quite Chebyshev's
    for (std::size_t i = 0; i < node.size(); ++i) {
      double product = 1;
      for (std::size_t j = 0; j < node.size(); ++j)
        if (j != i) product *= std::log(node[i] / node[j]);
      w[i] = 1 / (product * std::log(b / node[i]));
      total += w[i];
    }
    for (double& x : w) x /= total;
    return w;
  }
  Response response(const Now& now) const {
    const std::vector<double> w = weights(batch_at(batch, now.time));
    Response sum{ArrayXd::Zero(drift.all.cols()), ArrayXd::Zero(diffusion.all.cols())};
    for (std::size_t i = 0; i < node.size(); ++i) {
      if (w[i] == 0) continue;
      const Response r = system[i].response(now);
      drift.spread(i, r.drift, w[i], sum.drift);
      diffusion.spread(i, r.diffusion, w[i], sum.diffusion);
    }
    return sum;
  }
  /// Of DirectionMap: the drift is a number of no mode.
  Response at_directions(const Now& now) const {
    const std::vector<double> w = weights(batch_at(batch, now.time));
    Response sum{ArrayXd::Zero(1), ArrayXd::Zero(diffusion.all.cols())};
    for (std::size_t i = 0; i < node.size(); ++i) {
      if (w[i] == 0) continue;
      const Response r = system[i].directions->response(now);
      sum.drift += w[i] * r.drift;
      diffusion.spread(i, r.diffusion, w[i], sum.diffusion);
    }
    return sum;
  }
  double power(const Now& now) const {
    const std::vector<double> w = weights(batch_at(batch, now.time));
    double sum = 0;
    for (std::size_t i = 0; i < node.size(); ++i)
      if (w[i] != 0) sum += w[i] * system[i].squares->power(now);
    return sum;
  }
  const ModeSystem& nearest(const Now& now) const {
    const double b = batch_at(batch, now.time);
    std::size_t best = 0;
    for (std::size_t i = 0; i < node.size(); ++i)
      if (std::abs(std::log(node[i] / b)) < std::abs(std::log(node[best] / b))) best = i;
    return system[best];
  }
};

}  // namespace

ModeSystem with_batches(const Schedule& batch, const std::function<ModeSystem(int)>& of_batch) {
  auto batches = std::make_shared<Batches>();
  batches->batch = batch;
  batches->node = nodes_of(batch);
  for (const double b : batches->node) {
    batches->system.push_back(of_batch(static_cast<int>(b)));
    batches->drift.add(batches->system.back().drift);
    batches->diffusion.add(batches->system.back().diffusion);
  }
  ModeSystem result = batches->system.front();
  result.drift = batches->drift.all;
  result.diffusion = batches->diffusion.all;
  const std::shared_ptr<const Batches> fixed = batches;
  result.response = [fixed](const Now& now) { return fixed->response(now); };
  if (result.directions)
    result.directions->response = [fixed](const Now& now) { return fixed->at_directions(now); };
  if (result.squares) result.squares->power = [fixed](const Now& now) { return fixed->power(now); };
  if (result.shared_noise)
    result.shared_noise = [fixed](const Now& now) { return fixed->nearest(now).shared_noise(now); };
  result.observable.clear();
  result.drift_loss = nullptr;
  result.breaks.insert(result.breaks.end(), batch.breaks.begin(), batch.breaks.end());
  return result;
}

}  // namespace riskcurve
