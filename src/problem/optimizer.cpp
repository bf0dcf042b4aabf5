#include "riskcurve/problem/optimizer.hpp"

#include <utility>

namespace riskcurve {

namespace {

int read_batch(const Fields& optimizer) {
  optimizer.has("name");  // read by whoever chose this reader
  return static_cast<int>(optimizer.integer_or("batch", 1, Range::within(1, 1e9)));
}

}  // namespace

Sgd read_sgd(const Fields& optimizer) {
  const Sgd result{read_batch(optimizer)};
  optimizer.reject_unknown();
  return result;
}

SignSgd read_sign_sgd(const Fields& optimizer) {
  const SignSgd result{read_batch(optimizer)};
  optimizer.reject_unknown();
  return result;
}

ClippedSgd read_clipped_sgd(const Fields& optimizer, double horizon) {
  ClippedSgd result;
  result.batch = read_batch(optimizer);
  result.threshold = read_threshold(optimizer, "threshold", horizon);
  if (optimizer.has("clip") && optimizer.one_of("clip", {"sample", "batch"}) == "batch")
    result.clip = ClippedSgd::Clip::batch;
  optimizer.reject_unknown();
  return result;
}

SpectralOptimizer read_spectral(const Fields& optimizer) {
  using Kind = SpectralOptimizer::Kind;
  SpectralOptimizer result;
  const std::string name = optimizer.one_of("name", {"sign_svd", "schatten", "regularized_svd"});
  result.batch = read_batch(optimizer);
  if (name == "schatten") {
    result.kind = Kind::schatten;
    result.exponent = optimizer.number("exponent", Range{-1, 1, true, false});
  } else if (name == "regularized_svd") {
    result.kind = Kind::regularized_svd;
    result.epsilon = optimizer.number("epsilon", Range::positive());
  }
  optimizer.reject_unknown();
  return result;
}

void drop_keys_of_others(Fields optimizer) {
  const std::string name = optimizer.text("name");
  for (const auto& [key, owner] :
       {std::pair("threshold", "clipped_sgd"), std::pair("clip", "clipped_sgd"),
        std::pair("exponent", "schatten"), std::pair("epsilon", "regularized_svd")})
    if (name != owner) optimizer.erase(key);
}

}  // namespace riskcurve
