#pragma once
#include <array>
#include <optional>
#include <string>
#include <type_traits>
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
/// takes none, one without `l2` no w theta in its gradient (chain.hpp); one that `remembers` has
/// averages of its own. Before a map that `sees_scale` it is the average itself, M <- momentum M +
/// (1 - momentum) G from zero, and with nesterov momentum M + (1 - momentum) G.
enum class Momentum { after, before };
template <class Of>
concept TakesMomentum = std::is_same_v<decltype(Of::momentum), const Momentum>;

/// theta -= gamma G
struct Sgd {
  static constexpr const char* name = "sgd";
  static constexpr const char* title = "SGD";
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
  static constexpr const char* title = "preconditioned SGD";
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
  static constexpr const char* title = "SignSGD";
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
  static constexpr const char* title = "clipped SGD";
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

/// W -= gamma G_i/|G_i|, row by row; a row of zeros stays. Sees no momentum.
struct RowNormalizedSgd {
  static constexpr const char* name = "row_normalized_sgd";
  static constexpr const char* title = "row-normalised SGD";
  static constexpr Momentum momentum = Momentum::before;
  int batch = 1;
  bool operator==(const RowNormalizedSgd&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
  }
};

/// W -= gamma U V^T: the ideal of Muon
struct SignSvd {
  static constexpr const char* name = "sign_svd";
  static constexpr const char* title = "SignSVD";
  static constexpr Momentum momentum = Momentum::before;
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
  static constexpr const char* title = "Schatten";
  static constexpr Momentum momentum = Momentum::before;
  static constexpr bool sees_scale = true;
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
  static constexpr const char* title = "regularised SVD";
  static constexpr Momentum momentum = Momentum::before;
  static constexpr bool sees_scale = true;
  int batch = 1;
  double epsilon = kRequired;
  bool operator==(const RegularizedSvd&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("epsilon", self.epsilon, Range::positive());
  }
};

/// W -= gamma U f(S) V^T: of the rank r of G the ceil(share r) largest singular values become 0,
/// the others 1. share = 0 is SignSVD.
struct TruncatedSvd {
  static constexpr const char* name = "truncated";
  static constexpr const char* title = "truncated SVD";
  static constexpr Momentum momentum = Momentum::before;
  int batch = 1;
  double share = kRequired;
  bool operator==(const TruncatedSvd&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("share", self.share, Range{0, 1, false, true});
  }
};

/// W -= gamma [(1 - share) U V^T + share G/|G|_F]: SignSVD at 0, normalised SGD at 1.
struct MixedSvd {
  static constexpr const char* name = "mixed_svd";
  static constexpr const char* title = "mixed SVD";
  static constexpr Momentum momentum = Momentum::before;
  int batch = 1;
  double share = kRequired;
  bool operator==(const MixedSvd&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("share", self.share, Range::within(0, 1));
  }
};

/// Numbers drawn evenly between two, from <= to.
struct UniformValues {
  static constexpr const char* kind = "uniform";
  double from = 0.5, to = 1.5;
  double mean() const { return 0.5 * (from + to); }
  double variance() const { return (to - from) * (to - from) / 12; }
  bool operator==(const UniformValues&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("from", self.from, Range::non_negative());
    key("to", self.to, Range::positive());
  }
};

/// W -= gamma U D V^T, D diagonal: for every nonzero singular value a number of `spectrum`, each
/// drawn by itself at every step.
struct Kaon {
  static constexpr const char* name = "kaon";
  static constexpr const char* title = "Kaon";
  static constexpr Momentum momentum = Momentum::before;
  int batch = 1;
  std::optional<std::variant<UniformValues>> spectrum = UniformValues{};
  /// Throws InputError unless from <= to.
  void check() const;
  bool operator==(const Kaon&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("spectrum", self.spectrum);
  }
};

/// M <- momentum M + (1 - momentum) G from zero, G~ = momentum M + (1 - momentum) G with nesterov,
/// else M, then torch.optim.Muon's Newton-Schulz iteration,
///   X = G~/|G~|_F,   ns_steps times X <- a X + b (X X^T) X + c (X X^T)^2 X,
///   W <- W - gamma adjust X,   adjust = 1, sqrt(max(1, N_out/N_in)) or 0.2 sqrt(max(N_out, N_in)):
/// f(g) of every singular value g of X, f the composition of a g + b g^3 + c g^5. ns_coefficients:
/// three numbers, or three for each step. In a problem file `weight_decay` (chain.hpp) is 0.1 where
/// it is not given, as in torch.
struct Muon {
  static constexpr const char* name = "muon";
  static constexpr const char* title = "Muon";
  static constexpr bool remembers = true;
  static constexpr double weight_decay = 0.1;
  enum class Adjust { none, original, match_rms_adamw };
  static constexpr Choice<Adjust> adjusts[] = {{"none", Adjust::none},
                                               {"original", Adjust::original},
                                               {"match_rms_adamw", Adjust::match_rms_adamw}};
  int batch = 1;
  double momentum = 0.95;
  bool nesterov = true;
  int ns_steps = 5;
  std::vector<double> ns_coefficients = {3.4445, -4.7750, 2.0315};
  Adjust adjust_lr_fn = Adjust::none;
  /// f and the factor above.
  double map(double g) const;
  double adjust(double rows, double columns) const;
  /// (a, b, c) of step i.
  std::array<double, 3> coefficients(int i) const;
  /// Throws InputError unless there are as many coefficients as that asks for.
  void check() const;
  bool operator==(const Muon&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("momentum", self.momentum, Range{0, 1, false, true});
    key("nesterov", self.nesterov);
    key("ns_steps", self.ns_steps, Range::wholes(1, 99));
    key("ns_coefficients", self.ns_coefficients, Range::any());
    key("adjust_lr_fn", self.adjust_lr_fn, adjusts);
  }
};

/// Decays of two averages, each in [0, 1).
using Betas = std::array<double, 2>;
inline constexpr Range kBeta = Range{0, 1, false, true};

/// m <- beta_1 m + (1 - beta_1) G, v <- beta_2 v + (1 - beta_2) G^2, entry by entry, from zero; as
/// torch.optim.Adam, at step t = k + 1:
///   theta -= gamma [m/(1 - beta_1^t)] / [sqrt(v/(1 - beta_2^t)) + eps];
/// with nesterov as torch.optim.NAdam, mu_t = beta_1 (1 - 0.5 * 0.96^(0.004 t)), M_t = mu_1 ..
/// mu_t:
///   in place of the first bracket (1 - mu_t)/(1 - M_t) G + mu_(t+1)/(1 - M_(t+1)) m.
/// AdamW with a weight_decay. Source: arXiv 1412.6980.
struct Adam {
  static constexpr const char* name = "adam";
  static constexpr const char* title = "Adam";
  static constexpr bool remembers = true;
  int batch = 1;
  Betas betas = {0.9, 0.999};
  double eps = 1e-8;
  bool nesterov = false;
  bool operator==(const Adam&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("betas", self.betas, kBeta);
    key("eps", self.eps, Range::non_negative());
    key("nesterov", self.nesterov);
  }
};

/// v <- alpha v + (1 - alpha) G^2 from zero, theta -= gamma G/(sqrt(v) + eps)
struct RmsProp {
  static constexpr const char* name = "rmsprop";
  static constexpr const char* title = "RMSprop";
  static constexpr bool remembers = true;
  int batch = 1;
  double alpha = 0.99, eps = 1e-8;
  bool operator==(const RmsProp&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("alpha", self.alpha, kBeta);
    key("eps", self.eps, Range::non_negative());
  }
};

/// v <- v + G^2 from zero, theta -= gamma G/(sqrt(v) + eps)
struct AdaGrad {
  static constexpr const char* name = "adagrad";
  static constexpr const char* title = "AdaGrad";
  static constexpr bool remembers = true;
  int batch = 1;
  double eps = 1e-10;
  bool operator==(const AdaGrad&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("eps", self.eps, Range::non_negative());
  }
};

/// theta -= gamma sign(beta_1 m + (1 - beta_1) G), then m <- beta_2 m + (1 - beta_2) G, from zero.
/// Source: arXiv 2302.06675.
struct Lion {
  static constexpr const char* name = "lion";
  static constexpr const char* title = "Lion";
  static constexpr bool remembers = true;
  int batch = 1;
  Betas betas = {0.9, 0.99};
  bool operator==(const Lion&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("batch", self.batch, kBatch);
    key("betas", self.betas, kBeta);
  }
};

/// All there are: what takes part in a problem file is in this list.
using Optimizer = std::variant<Sgd, PreconditionedSgd, SignSgd, ClippedSgd, Adam, RmsProp, AdaGrad,
                               Lion, RowNormalizedSgd, SignSvd, Schatten, RegularizedSvd,
                               TruncatedSvd, MixedSvd, Kaon, Muon>;

std::string name_of(const Optimizer& optimizer);
/// As texts and plots call it: "SignSGD".
std::string title_of(const Optimizer& optimizer);
/// The name, with what sets its ways apart: "clipped_sgd, by batch".
std::string label_of(const Optimizer& optimizer);
int batch_of(const Optimizer& optimizer);
/// The same optimizer with another batch.
Optimizer with_batch(Optimizer optimizer, int batch);
/// Throws InputError about "optimizer.exponent" and the like, unless all are in their range.
void validate(const Optimizer& optimizer);
/// Those that need no more than their name: every parameter at its default.
std::vector<Optimizer> default_optimizers();

}  // namespace riskcurve
