#pragma once
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "riskcurve/dynamics/mode_system.hpp"
#include "riskcurve/dynamics/spectral.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// Modes as few as give the curve; one for each pair of the sides' nodes where rates are fixed
/// vectors; or always. Rough, for maps: the given nodes as they are, and where both sides have
/// several and signals of any size are seen, rates to a few 1e-3.
enum class Grids { compressed, listed, whole, rough };

/// SGD: a = lambda, c = lambda 2P/b, h = lambda. Needs a finite noise variance (InputError).
/// Source: (C), the case without clipping; docs/theory/vector.md#sgd.
ModeSystem mode_system(const VectorProblem& problem, const Sgd& optimizer);

/// Preconditioned SGD, theta its exponent: a = lambda^theta, c = lambda^(2 theta - 1) 2P/b,
/// h = lambda; 0 where lambda = 0. Needs a finite noise variance (InputError).
/// Source: ours; docs/theory/vector.md#sgd.
ModeSystem mode_system(const VectorProblem& problem, const PreconditionedSgd& optimizer);

/// SignSGD. With D = diag(K)^(1/2), S = D^(-1/2) K D^(-1/2) = Q Lambda Q^T, w_i = D^(1/2) q_i and
/// s_i = (w_i^T Delta)^2: h = Lambda, a = Lambda phi_b(R), c_i = w_i^T K_sigma w_i,
/// K_sigma = (2/pi) arcsin(D^(-1) K D^(-1)).
/// Orientation diagonal: h = lambda, a = sqrt(lambda) phi_b, c = 1 with s = Delta^2. Generic, with
/// tau = tr K/d: h = lambda, a = lambda phi_b/sqrt(tau), c = (2/pi)(lambda/tau + pi/2 - 1).
/// Observables (the four effects of (S)): effective_learning_rate phi_b(R); noise_compression
/// phi_b(R) over its value for Gaussian noise of the same variance (0/0 and inf as nan);
/// preconditioning, the decay rate of the risk under D^(-1) K over that under K/sqrt(tau);
/// noise_reshaping, the risk injected by K_sigma over that injected by K/tau.
/// Source: (S); docs/theory/vector.md#signsgd.
ModeSystem mode_system(const VectorProblem& problem, const SignSgd& optimizer);

/// The same whatever the size of the signal, a FilteredMap. Throws InputError for a matrix with a
/// covariance in given coordinates, or one side generic and one diagonal, both of unequal
/// eigenvalues. Source: ours; docs/theory/signal.md#signs.
ModeSystem any_signal_system(const VectorProblem& problem, const SignSgd& optimizer);
ModeSystem any_signal_system(const MatrixProblem& problem, const SignSgd& optimizer,
                             Grids grids = Grids::compressed);
/// Rows of a gradient over their norms, whatever the size of the signal: f(G_i) = G_i/|G_i|, rows
/// of variance h_ij (2P + 2q)/B and slopes exact for few directions of a row. Throws InputError for
/// unequal eigenvalues of K_out, unless in diagonal coordinates. Source: ours;
/// docs/theory/signal.md#rows.
ModeSystem any_signal_system(const MatrixProblem& problem, const RowNormalizedSgd& optimizer);
/// Whether small signals do not do: the mean drift that they lose at R(0), to first order
/// (ModeSystem::drift_loss), is above kSmallLoss.
bool signal_matters(const VectorProblem& problem, const SignSgd& optimizer);
bool signal_matters(const MatrixProblem& problem, const SignSgd& optimizer);
constexpr double kSmallLoss = 0.04;

/// A filter before a map that ignores scale: its momentum is Now::momentum.
/// U = p M + r G, M <- beta M + (1 - beta) G, r = 1 - p.
struct Filter {
  double momentum = 0;  ///< beta at step 0
  bool nesterov = false;
  bool varying = false;              ///< whether the momentum changes along the run
  std::optional<double> share = {};  ///< p; empty: beta, its square with nesterov
  /// (p, r) at step k = 0, 1, .. where they differ from the above.
  std::function<std::pair<double, double>(double step)> at_step = {};

  double share_of(double beta) const { return share ? *share : nesterov ? beta * beta : beta; }
};
/// SignSGD of a filtered gradient, to be read by the blocks of its chain: a = Lambda phi,
/// phi = kappa(R) sqrt(2/pi)/sqrt(V), V = Now::filtered + r^2 N(R), r the share of the present
/// gradient in the filter; c_before = N(R)/h a direction, of the gradient over Lambda; c_after =
/// (2/pi) w_i^T sum over lags [arcsin(rho r_l) - rho r_l] w_i. N(R) is 2P/b but for the law of few
/// residuals. Source: ours; docs/theory/chain.md#a-filter-before-the-map.
ModeSystem mode_system(const VectorProblem& problem, const SignSgd& optimizer,
                       const Filter& filter);

/// Lion: SignSGD of a filter that remembers by beta_2 and takes beta_1 of what it remembers.
Filter filter_of(const Lion& optimizer);
ModeSystem mode_system(const VectorProblem& problem, const Lion& optimizer);

/// Signs of a filtered gradient whatever the size of the signal: a FilteredMap for a covariance in
/// given coordinates or in generic ones; of others, whose modes are seen one by one, the same as
/// above. Matters where small signals lose more than kSmallLoss at the batch that the filter makes,
/// b (1 + beta)/(1 - beta), in given coordinates; in generic ones it is taken where it is asked
/// for. Source: ours; docs/theory/signal.md#signs.
ModeSystem any_signal_system(const VectorProblem& problem, const SignSgd& optimizer,
                             const Filter& filter);
ModeSystem any_signal_system(const VectorProblem& problem, const Lion& optimizer);
bool signal_matters(const VectorProblem& problem, const SignSgd& optimizer, const Filter& filter);
bool signal_matters(const VectorProblem& problem, const Lion& optimizer);

/// Adam and its kin, v <- keep v + take G^2 per coordinate, to be read by the blocks of their
/// chains: a = Lambda A g, h = Lambda, g = 1/(sqrt(V) + eps/sqrt(K_jj)), V the state
/// RootOfSquares holds; c_before = (C_0/A^2) N/h a direction, c_after = (C - C_0) N g^2 |w_i|^2,
/// N = 2P/b, A, C, C_0 of docs/theory/adaptive.md. Without momentum all noise is c_after, C_0 of it
/// as w_i^T rho w_i. Throws InputError for eps that counts beside uneven K_jj in given coordinates,
/// and for beta_2 = 0 beside a momentum, where noise is infinite.
Filter filter_of(const Adam& optimizer);
ModeSystem mode_system(const VectorProblem& problem, const Adam& optimizer);
ModeSystem mode_system(const VectorProblem& problem, const RmsProp& optimizer);
ModeSystem mode_system(const VectorProblem& problem, const AdaGrad& optimizer);

/// The same in given coordinates whatever the size of the signal, each coordinate's in its own root
/// alone: a FilteredMap. Matters where small signals lose SignSGD more than kSmallLoss. Throws
/// InputError under noise without a variance. Source: ours;
/// docs/theory/adaptive.md#signals-in-given-coordinates.
ModeSystem any_signal_system(const VectorProblem& problem, const Adam& optimizer);
ModeSystem any_signal_system(const VectorProblem& problem, const RmsProp& optimizer);
ModeSystem any_signal_system(const VectorProblem& problem, const AdaGrad& optimizer);
bool signal_matters(const VectorProblem& problem, const Adam& optimizer);
bool signal_matters(const VectorProblem& problem, const RmsProp& optimizer);
bool signal_matters(const VectorProblem& problem, const AdaGrad& optimizer);

/// Clipped SGD: a = lambda mu(R), c = lambda nu(R)/b, h = lambda; mu the descent reduction, nu the
/// variance of the clipped residual. Source: (C); docs/theory/vector.md#clipped-sgd.
ModeSystem mode_system(const VectorProblem& problem, const ClippedSgd& optimizer);

// What each knows of itself (docs/theory/bands.md), r = 2R, batch b, residuals l = g - epsilon, the
// shared noise as (progress_variance, covariance, size_variance):
//   SGD           1/b, 2/b, Var(l^2)/(b E[l^2]^2)
//   SignSGD       (b-2) E[1/|l|^2]/((b-1) E[1/|l|]^2) - 1 (b = 1: -1), 0, 0. Its drift loss; and in
//                 given coordinates of a vector problem its correlation: x_i = w_i^T Delta,
//                 F = diag(c)^(-1/2) W^T L for a pivoted Cholesky factor K_sigma = L L^T without
//                 its vanishing columns. On the matrix problem noise is taken as independent.
//   clipped SGD   (Var(f g) - r E f^2)/(b E[f g]^2), Cov(f g, f^2)/(b E[f g] E[f^2]),
//                 Var(f^2)/(b E[f^2]^2), f the clipped l. Clipping of the batch mean, b > 1:
//                 sampled (fixed seed, about 2 %).
//   spectral      f = g^q: b >> N: (1+q)^2/2 - 1, q(1+q), 2 q^2, over b; b << N: those of
//                 f = |l|^q sign(l), SignSVD -1/b. Between them weighted by 1/(1 + b/N), N the
//                 smaller side. Gaussian residuals. regularized_svd: taken as 0. Their signal.

// The matrix problem (docs/theory/matrix.md). One mode for each pair (i,
// j) of nodes of the two spectra, h_ij = sigma_i lambda_j, in the order i + N_out j.

/// SGD: a = sigma lambda, c = 2P sigma lambda/B. Needs a finite noise variance (InputError).
ModeSystem mode_system(const MatrixProblem& problem, const Sgd& optimizer);

/// SignSGD on the entries of W, batch B, phi_B = ResidualLaw::matrix_phi. Generic (if either side
/// is), with tau_o, tau_i the mean eigenvalues: a = sigma lambda phi_B/sqrt(tau_o tau_i),
/// c = (2/pi)(sigma lambda/(tau_o tau_i) + pi/2 - 1). Else the vector formulas of K = K_out (x)
/// K_in exactly but for phi_B, in the directions w_i (x) w_j of both sides' S (a diagonal side: the
/// coordinates): h = Lambda_i Lambda_j, a = h phi_B, c = w_ij^T K_sigma w_ij,
/// s = E (w_i^T Delta w_j)^2, the entries of Delta independent in the eigenbasis unless
/// problem.initial_error has them. Diagonal on both sides: h = sigma lambda,
/// a = sqrt(sigma lambda) phi_B, c = 1. c takes the arcsine law, exact but for pairs of coordinates
/// correlated on both sides, under small batches or heavy tails.
/// K_sigma is never formed. With arcsin x = sum_k c_k x^(2k+1), pairs of coordinates that agree on
/// one side are in closed form and the others a sum over k of products over the Hadamard powers of
/// rho_out, rho_in, to 1e-13 of |w_i|^2 |w_j|^2 by a bound of the rest; cut after 400 terms, with a
/// warning, where correlations near 1 on both sides ask for more.
ModeSystem mode_system(const MatrixProblem& problem, const SignSgd& optimizer);

/// Of a filtered gradient, generic on either side or diagonal on both.
ModeSystem mode_system(const MatrixProblem& problem, const SignSgd& optimizer,
                       const Filter& filter);

/// The same on the entries of W.
ModeSystem mode_system(const MatrixProblem& problem, const Lion& optimizer);
ModeSystem mode_system(const MatrixProblem& problem, const Adam& optimizer);
ModeSystem mode_system(const MatrixProblem& problem, const RmsProp& optimizer);
ModeSystem mode_system(const MatrixProblem& problem, const AdaGrad& optimizer);

/// SignSVD and every other spectral optimizer: a and c by the quadratures of spectral.hpp. Gaussian
/// noise and f = g^q: a = a^(1) (2P)^((q-1)/2), c = c^(1) (2P)^q, one product each. Else a and c
/// are interpolated in log R (Chebyshev) between R(0)/10^9 and 30 R(0) (noise included): sums of
/// products, the spectra first compressed by their Gauss rules where they are long (Grids::whole:
/// kept, a mode for each pair of nodes).
/// Throws InputError where c is infinite (heavy tails or q too small; see spectral.hpp).
ModeSystem mode_system(const MatrixProblem& problem, const SignSvd& optimizer,
                       Grids grids = Grids::compressed);
ModeSystem mode_system(const MatrixProblem& problem, const Schatten& optimizer,
                       Grids grids = Grids::compressed);
ModeSystem mode_system(const MatrixProblem& problem, const RegularizedSvd& optimizer,
                       Grids grids = Grids::compressed);

/// The same of a filtered gradient (filter.momentum 0: of the plain one), Muon, and maps of
/// singular values that are known so alone, whatever the size of the signal: FilteredMap, one mode
/// for each eigenvalue of the graded side, those within a quarter of an octave merged where they
/// are many; or, of SignSVD, Muon and Kaon, for each pair of eigenvalues, both sides merged to
/// about 16 where they are more (Grids::whole: kept). Throws InputError unless the noise has a
/// variance, and of g^q where E f^2 is infinite. `response`: slopes of the start. Source: ours;
/// docs/theory/signal.md.
ModeSystem mode_system(const MatrixProblem& problem, const SignSvd& optimizer, const Filter& filter,
                       Grids grids = Grids::compressed);
ModeSystem mode_system(const MatrixProblem& problem, const Schatten& optimizer,
                       const Filter& filter, Grids grids = Grids::compressed);
ModeSystem mode_system(const MatrixProblem& problem, const RegularizedSvd& optimizer,
                       const Filter& filter, Grids grids = Grids::compressed);
ModeSystem mode_system(const MatrixProblem& problem, const TruncatedSvd& optimizer,
                       const Filter& filter, Grids grids = Grids::compressed);
ModeSystem mode_system(const MatrixProblem& problem, const MixedSvd& optimizer,
                       const Filter& filter, Grids grids = Grids::compressed);
ModeSystem mode_system(const MatrixProblem& problem, const Kaon& optimizer, const Filter& filter,
                       Grids grids = Grids::compressed);
Filter filter_of(const Muon& optimizer);
ModeSystem mode_system(const MatrixProblem& problem, const Muon& optimizer,
                       Grids grids = Grids::compressed);
/// Whether they are derived for it, and whether small signals do not do: signal_ratio at R(0) above
/// kSmallSignal, or risk_rank below kManyDirections (docs/theory/trust.md).
bool any_signal_is_derived(const MatrixProblem& problem, const SignSvd& optimizer);
bool any_signal_is_derived(const MatrixProblem& problem, const Schatten& optimizer);
bool any_signal_is_derived(const MatrixProblem& problem, const RegularizedSvd& optimizer);
bool signal_matters(const MatrixProblem& problem, int batch);
constexpr double kSmallSignal = 0.4, kManyDirections = 5;

/// The one of these that the experiment's problem, optimizer and `signal` ask for; Grids::whole for
/// the SDE, which needs directions. Grids::compressed: of small signals, many pairs of two graded
/// sides are merged to few nodes of each before there are modes (1e-9 of R), where the target is a
/// product of the sides. Throws InputError where there is none for this geometry, or the
/// optimizer's parameters are out of range.
ModeSystem mode_system(const Experiment& experiment, Grids grids = Grids::compressed);
/// With rates of small signals, where those are derived and the experiment leaves the choice: what
/// searches of hundreds of solves take, and those along derivatives, which rates that know their
/// past do not have.
Experiment with_small_signal(Experiment experiment);
/// Whether rates for a signal of any size are known, without momentum, where others are too.
bool any_signal_is_known(const MatrixProblem& problem, const Optimizer& optimizer);
/// The optimizers that have one, by name.
std::vector<std::string> optimizer_names(bool matrix);

/// f of a spectral optimizer.
SpectralFunction spectral_function(const SignSvd& optimizer);
SpectralFunction spectral_function(const Schatten& optimizer);
SpectralFunction spectral_function(const RegularizedSvd& optimizer);
/// f and the batch of the experiment's optimizer; empty where it is not a spectral one.
struct Spectral {
  SpectralFunction function;
  int batch;
};
std::optional<Spectral> spectral_of(const Experiment& experiment);

}  // namespace riskcurve
