#pragma once
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "riskcurve/eigen.hpp"
#include "riskcurve/problem/chain.hpp"
#include "riskcurve/problem/covariance.hpp"
#include "riskcurve/problem/noise.hpp"
#include "riskcurve/problem/optimizer.hpp"
#include "riskcurve/problem/pairs.hpp"
#include "riskcurve/problem/schedule.hpp"

namespace riskcurve {

// What is to be learned, Delta_0 = theta_0 - theta*, as problem files state it.

/// Which sides of the matrix the target's power law runs along.
enum class Sides { in, both };
inline constexpr Choice<Sides> kSides[] = {{"in", Sides::in}, {"both", Sides::both}};

/// Squared coefficient on eigenvector j proportional to j^(-2 beta), scaled so that R(0) = risk.
struct PowerLawTarget {
  static constexpr const char* kind = "power_law";
  double beta = kRequired, risk = 1;
  bool operator==(const PowerLawTarget&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("beta", self.beta, Range::any());
    key("risk", self.risk, Range::non_negative());
  }
};
/// Of a matrix: squared entries proportional to j^(-2 beta) along the input side, or (i j)^(-2
/// beta)
struct MatrixPowerLawTarget {
  static constexpr const char* kind = "power_law";
  double beta = kRequired, risk = 1;
  Sides sides = Sides::in;
  bool operator==(const MatrixPowerLawTarget&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("beta", self.beta, Range::any());
    key("risk", self.risk, Range::non_negative());
    key("sides", self.sides, kSides);
  }
};
/// Equal on the eigenvectors (of a matrix: the input side's) of indices [first, last], counted from
/// 1 (empty: all), 0 on others, scaled so that R(0) = risk.
struct IsotropicTarget {
  static constexpr const char* kind = "isotropic";
  double risk = 1;
  std::vector<double> indices = {};
  bool operator==(const IsotropicTarget&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("risk", self.risk, Range::non_negative());
    key("indices", self.indices, Range::within(1, 1e18));
  }
};
/// theta* of a file of d numbers; of a matrix: Delta_0 in the joint eigenbasis. Scaled so that R(0)
/// = risk where that is given.
struct FileTarget {
  static constexpr const char* kind = "file";
  File path;
  std::optional<double> risk = {};
  bool operator==(const FileTarget&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("path", self.path);
    key("risk", self.risk, Range::non_negative());
  }
};
/// theta* by least squares of a column of a file of labels on the rows of a data covariance. With
/// `positive`, labels are +1 where they equal it and -1 elsewhere.
struct FitTarget {
  static constexpr const char* kind = "fit";
  File labels;
  int column = 1;
  std::optional<double> positive = {};
  bool operator==(const FitTarget&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("labels", self.labels);
    key("column", self.column, Range::wholes(1, 1e9));
    key("positive", self.positive, Range::any());
  }
};
/// s(0) at the nodes of the spectrum (of a matrix: rows K_out), Delta_0 itself where it is known,
/// and beside it theta_0 (of a vector; empty: 0).
struct GivenTarget {
  static constexpr const char* kind = "given";
  Entries squares = {}, coordinates = {}, start = {};
  bool operator==(const GivenTarget&) const = default;
  template <class Self, class Keys>
  static void keys(Self& self, Keys&& key) {
    key("squares", self.squares);
    key("coordinates", self.coordinates);
    key("start", self.start);
  }
};

using VectorTarget =
    std::variant<PowerLawTarget, IsotropicTarget, FileTarget, FitTarget, GivenTarget>;
using MatrixTarget = std::variant<MatrixPowerLawTarget, IsotropicTarget, FileTarget, GivenTarget>;

/// theta_0 of a file of d numbers, beside a target from a file or a fit; else 0.
struct Start {
  File path;
  bool operator==(const Start&) const = default;
};

/// Streaming least squares in R^d: x with covariance K, y = <x, theta*> + epsilon, a fresh batch at
/// every step. Delta = theta - theta*; the excess risk is R = Delta^T K Delta / 2, the population
/// risk P = R + E epsilon^2 / 2.
struct VectorProblem {
  Covariance covariance;
  NoiseLaw noise = no_noise();
  /// Expected squared error s_k(0) = E sum <u, Delta_0>^2 over the eigenvectors u of each node of
  /// the spectrum: shape (spectrum.size()).
  Eigen::ArrayXd initial;
  /// Delta_0 in coordinates. Set where the eigenvectors are known (Orientation::given, data, or
  /// diagonal with a target from a file); else the signs of the coefficients are free, and Monte
  /// Carlo draws them.
  std::optional<Eigen::VectorXd> initial_error = {};
  /// theta_0 in coordinates, beside `initial_error`; empty: 0. theta* = theta_0 - Delta_0.
  std::optional<Eigen::VectorXd> theta_start = {};
  /// Labels y_i - <x_i, theta*> row by row: set where the target was fitted to labels and the
  /// residuals are the noise, so that Monte Carlo can draw row and residual together, as they are
  /// in the data.
  std::optional<Eigen::ArrayXd> row_residuals = {};
  /// What `initial` and the others were made from; GivenTarget: they speak for themselves.
  VectorTarget target = GivenTarget{};
  Start start = {};

  double dimension() const { return covariance.dimension(); }
  /// R(0) = sum_k lambda_k s_k(0) / 2
  double initial_risk() const { return 0.5 * (covariance.spectrum.value * initial).sum(); }
  /// Of equal covariance, noise and Delta_0, however stated.
  bool operator==(const VectorProblem& other) const;
};

/// noise: nullopt for the residuals of a fitted target, row by row; beside other targets, none.
/// Throws InputError for what does not fit together, naming "target.risk" and the like.
VectorProblem make_problem(Covariance covariance, const VectorTarget& target,
                           const std::optional<NoiseLaw>& noise = {}, const Start& start = {});

/// s_k(0) proportional to the mass j^(-2 beta) of the node, scaled so that R(0) = risk.
Eigen::ArrayXd power_law_target(const Spectrum& spectrum, double beta, double risk);
/// s_k(0) equal on the eigenvectors of index from..to, 0 on others, scaled so that R(0) = risk.
Eigen::ArrayXd isotropic_target(const Spectrum& spectrum, double risk, double from = 1,
                                double to = std::numeric_limits<double>::infinity());

/// Throws InputError unless shapes agree, every number is finite and the error is non-negative.
void validate(const VectorProblem& problem);

/// Streaming least squares for W in R^(N_out x N_in): x_out, x_in independent with covariances
/// K_out (eigenvalues sigma_i) and K_in (lambda_j), y = x_out^T W* x_in + epsilon, a fresh batch of
/// B samples at every step. Delta = W - W*; R = tr(K_out Delta K_in Delta^T)/2, P = R + E eps^2/2.
struct MatrixProblem {
  Covariance covariance_out, covariance_in;
  NoiseLaw noise = no_noise();
  /// s_ij(0) = E sum Delta_ij^2 over the joint eigenvectors of nodes i and j:
  /// shape (covariance_out.spectrum.size(), covariance_in.spectrum.size()).
  Pairs initial;
  /// Delta_0 in the joint eigenbasis, eigenvectors in the order of spectrum.expand() on each side.
  /// Set where its entries are known (a target from a file); else their signs are free.
  std::optional<Eigen::MatrixXd> initial_error = {};
  MatrixTarget target = GivenTarget{};  ///< as of VectorProblem

  /// N_out N_in, the number of parameters.
  double dimension() const { return covariance_out.dimension() * covariance_in.dimension(); }
  /// R(0) = sum_ij sigma_i lambda_j s_ij(0)/2
  double initial_risk() const {
    const Eigen::ArrayXd of_rows = initial.over_columns(covariance_in.spectrum.value);
    return 0.5 * (covariance_out.spectrum.value * of_rows).sum();
  }
  bool operator==(const MatrixProblem& other) const;
};

MatrixProblem make_problem(Covariance out, Covariance in, const MatrixTarget& target,
                           NoiseLaw noise = no_noise());

/// s_ij(0) proportional to j^(-2 beta) (Sides::in) or (i j)^(-2 beta) (Sides::both), scaled so that
/// R(0) = risk. beta = 0: isotropic.
Pairs matrix_power_law_target(const Spectrum& out, const Spectrum& in, double beta, Sides sides,
                              double risk);

void validate(const MatrixProblem& problem);

/// When to record: step counts, increasing.
struct Run {
  double steps = 0;
  Eigen::ArrayXd at;
  bool operator==(const Run& other) const { return steps == other.steps && same(at, other.at); }
};
enum class Spacing { linear, log };
/// `points` whole steps up to the last, evenly or in ratio, beside step 0; fewer where they fall
/// together.
Run run_for(double steps, int points = 50, Spacing spacing = Spacing::linear);

/// How large a signal the theory of a spectral map allows for, in a problem file [run] signal:
/// small beside the gradient's noise, any (docs/theory/signal.md), or the latter where it matters
/// and is derived.
enum class Signal { automatic, small, full };
inline constexpr Choice<Signal> kSignals[] = {
    {"auto", Signal::automatic}, {"small", Signal::small}, {"full", Signal::full}};

/// All that a prediction or a run needs: a value, that may be shared between threads.
struct Experiment {
  std::variant<VectorProblem, MatrixProblem> problem;
  Optimizer optimizer;
  Schedule schedule;  ///< the raw step size gamma(k)
  Run run;
  Chain chain = {};  ///< what stands around the optimizer's update
  Signal signal = Signal::automatic;

  bool is_matrix() const { return std::holds_alternative<MatrixProblem>(problem); }
  /// The problem of either geometry; std::bad_variant_access for the other.
  const VectorProblem& vector() const { return std::get<VectorProblem>(problem); }
  const MatrixProblem& matrix() const { return std::get<MatrixProblem>(problem); }
  /// d, or N_out N_in
  double dimension() const {
    return std::visit([](const auto& either) { return either.dimension(); }, problem);
  }
  const NoiseLaw& noise() const {
    return std::visit([](const auto& either) -> const NoiseLaw& { return either.noise; }, problem);
  }
  double initial_risk() const {
    return std::visit([](const auto& either) { return either.initial_risk(); }, problem);
  }
  bool operator==(const Experiment&) const = default;
};

/// Throws InputError about optimizer.momentum and the like unless the numbers of the chain are in
/// their ranges and it goes with its optimizer, its problem and itself.
void validate(const Experiment& experiment);

/// "sign_sgd, batch 4 on power_law covariance, d = 500, noise: student_t": what stands above tables
/// and plots.
std::string describe(const Experiment& experiment);

}  // namespace riskcurve
