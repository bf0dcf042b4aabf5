#include <boost/numeric/odeint.hpp>
#include <boost/numeric/ublas/matrix.hpp>
#include <boost/numeric/ublas/vector.hpp>

#include "integrate/rosenbrock4.hpp"

namespace riskcurve {
namespace {
namespace odeint = boost::numeric::odeint;
using Vector = boost::numeric::ublas::vector<double>;
using Matrix = boost::numeric::ublas::matrix<double>;
/// d4 as Hairer and Wanner have it (RODAS): with Odeint's sign the method is of first order where
/// the rates depend on time.
struct Rodas : odeint::default_rosenbrock_coefficients<double> {
  const double d4 = -0.3620000000000023e-01;
};
using Controller = odeint::rosenbrock4_controller<odeint::rosenbrock4<double, Rodas>>;
}  // namespace

struct Rosenbrock4::State {
  Rate rate;
  Jacobian jacobian;
  odeint::rosenbrock4_dense_output<Controller> stepper;
  Vector x;
  long evaluations = 0;
};

Rosenbrock4::Rosenbrock4(std::size_t size, Rate rate, Jacobian jacobian, double rtol, double atol)
    : state_(new State{std::move(rate), std::move(jacobian),
                       odeint::rosenbrock4_dense_output<Controller>(Controller(atol, rtol)),
                       Vector(size), 0}) {}
Rosenbrock4::~Rosenbrock4() = default;

void Rosenbrock4::initialize(const std::vector<double>& x, double t, double dt) {
  std::copy(x.begin(), x.end(), state_->x.begin());
  state_->stepper.initialize(state_->x, t, dt);
}
std::pair<double, double> Rosenbrock4::do_step() {
  State& s = *state_;
  const auto rate = [&s](const Vector& x, Vector& dxdt, double t) {
    ++s.evaluations;
    s.rate(&x[0], &dxdt[0], t);
  };
  const auto jacobian = [&s](const Vector& x, Matrix& j, const double& t, Vector& dfdt) {
    s.jacobian(&x[0], &j(0, 0), &dfdt[0], t);
  };
  return s.stepper.do_step(std::make_pair(rate, jacobian));
}
void Rosenbrock4::calc_state(double t, std::vector<double>& x) {
  state_->stepper.calc_state(t, state_->x);
  x.assign(state_->x.begin(), state_->x.end());
}
std::vector<double> Rosenbrock4::current_state() const {
  const Vector& x = state_->stepper.current_state();
  return {x.begin(), x.end()};
}
double Rosenbrock4::current_time() const {
  return state_->stepper.current_time();
}
double Rosenbrock4::current_time_step() const {
  return state_->stepper.current_time_step();
}
long Rosenbrock4::evaluations() const {
  return state_->evaluations;
}

}  // namespace riskcurve
