#pragma once
#include <cstddef>
#include <cstdint>

namespace riskcurve {

/// Counter-based random numbers (Philox 4x64-10, Random123): the stream is a pure function of
/// (seed, run, step, purpose), so a run is the same whatever thread or order draws it.
/// Models a uniform random bit generator of 64 bits, for Boost.Random's distributions.
class Random {
 public:
  using result_type = std::uint64_t;
  Random(std::uint64_t seed, std::uint64_t run, std::uint64_t step, std::uint64_t purpose = 0);
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() {
    if (used_ == 4) refill();
    return block_[used_++];
  }
  double uniform();                              ///< in (0,1), 53 bits
  double normal();                               ///< N(0,1)
  void normals(double* out, std::size_t count);  ///< the next `count` of normal(), in bulk

 private:
  void refill();
  std::uint64_t key_[2], counter_[4], block_[4];
  int used_ = 4;
};

}  // namespace riskcurve
