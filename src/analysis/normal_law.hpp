#pragma once

namespace riskcurve {

/// Deviations from the mean within which a normal law has 95 %.
inline constexpr double kQuantile95 = 1.959963984540054;

}  // namespace riskcurve
