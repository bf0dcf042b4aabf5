#pragma once
#include <string>
#include <variant>
#include <vector>

#include "riskcurve/problem/keys.hpp"
#include "riskcurve/problem/schedule.hpp"

namespace riskcurve {

// The algorithms, as their users state them: what both theory and Monte Carlo read. l_i is the
// residual <x_i, theta> - y_i of sample i of a fresh batch of b; G = (1/b) sum_i l_i x_i, of the
// matrix problem (1/B) sum_i l_i x_out x_in^T = U S V^T (compact).

/// Where momentum stands: after a map that is linear but for a clip, whose output it adds up;
/// before one that ignores scale, of whose inputs it is the average. A map without `momentum`
/// takes none, one without `l2` no w theta in its gradient (chain.hpp).
enum class Momentum { after, before };

/// theta -= gamma G
struct Sgd {
  static constexpr const char* name = "sgd";
  static constexpr Momentum momentum = Momentum::after;
  static constexpr bool l2 = true;
  int batch = 1;
  bool operator==(const Sgd&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
  }
};

/// theta -= gamma K^(exponent - 1) G: 1 is SGD, 1/2 the square-root preconditioning that SignSVD is
/// compared with, 0 the natural gradient. Where K has no variance nothing moves.
struct PreconditionedSgd {
  static constexpr const char* name = "preconditioned_sgd";
  static constexpr Momentum momentum = Momentum::after;
  int batch = 1;
  double exponent = kRequired;
  bool operator==(const PreconditionedSgd&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("exponent", self.exponent, Range::within(0, 1));
  }
};

/// theta -= gamma sign(G), coordinate by coordinate; sign(0) = 0
struct SignSgd {
  static constexpr const char* name = "sign_sgd";
  static constexpr Momentum momentum = Momentum::before;
  static constexpr bool l2 = true;
  int batch = 1;
  bool operator==(const SignSgd&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
  }
};

/// Gradient clipping at the norm C = threshold * sqrt(tr K): `threshold` is in residual units.
///   sample: theta -= gamma (1/b) sum_i l_i x_i min(1, C/|l_i x_i|)
///   batch:  theta -= gamma G min(1, C/|G|)
struct ClippedSgd {
  static constexpr const char* name = "clipped_sgd";
  static constexpr Momentum momentum = Momentum::after;
  static constexpr bool l2 = true;
  enum class Clip { sample, batch };
  static constexpr Choice<Clip> clips[] = {{"sample", Clip::sample}, {"batch", Clip::batch}};
  int batch = 1;
  Schedule threshold;
  Clip clip = Clip::sample;
  std::string label() const {
    return std::string(name) + ", by " + clips[clip == Clip::batch].text;
  }
  bool operator==(const ClippedSgd&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("threshold", self.threshold, Range::positive());
    key("clip", self.clip, clips);
  }
};

/// W -= gamma U V^T: the ideal of Muon
struct SignSvd {
  static constexpr const char* name = "sign_svd";
  int batch = 1;
  bool operator==(const SignSvd&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
  }
};

/// W -= gamma U S^exponent V^T
struct Schatten {
  static constexpr const char* name = "schatten";
  int batch = 1;
  double exponent = kRequired;
  bool operator==(const Schatten&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("exponent", self.exponent, Range{-1, 1, true});
  }
};

/// W -= gamma U f(S) V^T, f(g) = g/sqrt(g^2 + epsilon^2)
struct RegularizedSvd {
  static constexpr const char* name = "regularized_svd";
  int batch = 1;
  double epsilon = kRequired;
  bool operator==(const RegularizedSvd&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("epsilon", self.epsilon, Range::positive());
  }
};

/// All there are: what takes part in a problem file is in this list.
using Optimizer =
    std::variant<Sgd, PreconditionedSgd, SignSgd, ClippedSgd, SignSvd, Schatten, RegularizedSvd>;

std::string name_of(const Optimizer& optimizer);
/// The name, with what sets its ways apart: "clipped_sgd, by batch".
std::string label_of(const Optimizer& optimizer);
int batch_of(const Optimizer& optimizer);
/// The same optimizer with another batch.
Optimizer with_batch(Optimizer optimizer, int batch);
/// Throws InputError about "optimizer.exponent" and the like, unless all are in their range.
void validate(const Optimizer& optimizer);

}  // namespace riskcurve
