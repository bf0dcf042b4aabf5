#pragma once
#include <cstring>

// Loops over lanes are compiled twice: for any processor, and for those with vectors of four
// doubles, which the library as a whole is not built for (CMakeLists.txt says why). They take plain
// numbers: of Eigen's templates the linker keeps one copy, which must serve any processor.
#if defined(__GNUC__)
#define RISKCURVE_INLINE __attribute__((always_inline))
#else
#define RISKCURVE_INLINE
#endif
#if defined(__GNUC__) && defined(__x86_64__)
#define RISKCURVE_WIDE 1
#define RISKCURVE_TARGET __attribute__((target("avx2,fma")))
#endif

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors between functions: all of these are inlined

namespace riskcurve {

/// Vectors of doubles.
using Two = double __attribute__((vector_size(16)));
using Four = double __attribute__((vector_size(32)));

template <class Lanes>
constexpr int width = sizeof(Lanes) / sizeof(double);

template <class Lanes>
RISKCURVE_INLINE inline Lanes lanes_at(const double* from) {
  Lanes x;
  std::memcpy(&x, from, sizeof x);
  return x;
}
template <class Lanes>
RISKCURVE_INLINE inline void put(const Lanes& x, double* at) {
  std::memcpy(at, &x, sizeof x);
}

/// Whether this processor has what RISKCURVE_TARGET asks for.
inline bool has_wide_lanes() {
#ifdef RISKCURVE_WIDE
  static const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return wide;
#else
  return false;
#endif
}

}  // namespace riskcurve
