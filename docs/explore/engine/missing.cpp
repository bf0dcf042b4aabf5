// What the browser's build leaves out, and how it says so: gzip files, and Odeint's rosenbrock4.
#include "integrate/rosenbrock4.hpp"
#include "problem/data_file.hpp"
#include "riskcurve/problem/error.hpp"

namespace riskcurve {

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}
std::string gunzipped(const DataFile& file) {
  file.fail("", "a file that is not compressed: the page does not unpack");
}

struct Rosenbrock4::State {};
Rosenbrock4::Rosenbrock4(std::size_t, Rate, Jacobian, double, double) {
  throw InputError("method", "rosenbrock4", "a method that the page has: exponential");
}
Rosenbrock4::~Rosenbrock4() = default;
void Rosenbrock4::initialize(const std::vector<double>&, double, double) {}
std::pair<double, double> Rosenbrock4::do_step() {
  return {};
}
void Rosenbrock4::calc_state(double, std::vector<double>&) {}
std::vector<double> Rosenbrock4::current_state() const {
  return {};
}
double Rosenbrock4::current_time() const {
  return 0;
}
double Rosenbrock4::current_time_step() const {
  return 0;
}
long Rosenbrock4::evaluations() const {
  return 0;
}

}  // namespace riskcurve
