#include "problem/random.hpp"

#include <Random123/philox.h>

#include <boost/random/normal_distribution.hpp>

namespace riskcurve {

// Counter: (block of the stream, step, run, 0); key: (seed, purpose).
Random::Random(std::uint64_t seed, std::uint64_t run, std::uint64_t step, std::uint64_t purpose)
    : key_{seed, purpose}, counter_{0, step, run, 0} {}

void Random::refill() {
  const auto block = r123::Philox4x64()({{counter_[0], counter_[1], counter_[2], counter_[3]}},
                                        {{key_[0], key_[1]}});
  for (std::size_t i = 0; i < 4; ++i) block_[i] = block[i];
  ++counter_[0];
  used_ = 0;
}

double Random::uniform() {
  return (static_cast<double>((*this)() >> 11) + 0.5) * 0x1p-53;  // never 0 or 1
}

// Boost's ziggurat: the standard library's normals differ between implementations. The
// distribution keeps no state between draws, so the stream alone decides the numbers.
double Random::normal() {
  return boost::random::normal_distribution<double>()(*this);
}

void Random::normals(double* out, std::size_t count) {
  boost::random::normal_distribution<double> draw;
  for (std::size_t i = 0; i < count; ++i) out[i] = draw(*this);
}

}  // namespace riskcurve
