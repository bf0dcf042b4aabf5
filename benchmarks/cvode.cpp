// A peer: the mode system of SignSGD under Gaussian noise, ds/dt = -2 gamma a s + gamma^2 c with
// a = A 2/sqrt(2R + noise variance), solved by SUNDIALS' CVODE (BDF, GMRES, diagonal
// preconditioner). Usage: peer_cvode FILE rtol repeats; FILE: doubles d, gamma, T, noise variance,
// then h, A, C, s(0). Prints seconds (least of the repeats) and R(T).
#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <sunlinsol/sunlinsol_spgmr.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

namespace {

struct System {
  long d = 0;
  double gamma = 0, T = 0, variance = 0;
  std::vector<double> h, A, C, s;

  double risk(const double* s_now) const {
    double sum = 0;
    for (long k = 0; k < d; ++k) sum += h[static_cast<std::size_t>(k)] * s_now[k];
    return 0.5 * sum;
  }
  double rate(double risk) const { return 4 * gamma / std::sqrt(2 * risk + variance); }
};

double* data(N_Vector v) {
  return NV_DATA_S(v);
}

int derivative(double, N_Vector s, N_Vector out, void* user) {
  const auto& of = *static_cast<const System*>(user);
  const double *now = data(s), *A = of.A.data(), *C = of.C.data();
  double* to = data(out);
  const double g = of.rate(of.risk(now)), n = of.gamma * of.gamma;
  for (long k = 0; k < of.d; ++k) to[k] = n * C[k] - g * A[k] * now[k];
  return 0;
}

int precondition(double, N_Vector s, N_Vector, N_Vector r, N_Vector z, double gamma, double, int,
                 void* user) {
  const auto& of = *static_cast<const System*>(user);
  const double g = gamma * of.rate(of.risk(data(s))), *A = of.A.data(), *from = data(r);
  double* to = data(z);
  for (long k = 0; k < of.d; ++k) to[k] = from[k] / (1 + g * A[k]);
  return 0;
}

// Vector operations that the compiler vectorises: Debian's are not.
void linear_sum(double a, N_Vector x, double b, N_Vector y, N_Vector z) {
  const double *p = data(x), *q = data(y);
  double* to = data(z);
  for (long k = 0, d = NV_LENGTH_S(z); k < d; ++k) to[k] = a * p[k] + b * q[k];
}
void scale(double a, N_Vector x, N_Vector z) {
  const double* p = data(x);
  double* to = data(z);
  for (long k = 0, d = NV_LENGTH_S(z); k < d; ++k) to[k] = a * p[k];
}
double dot(N_Vector x, N_Vector y) {
  const double *p = data(x), *q = data(y);
  double sum = 0;
  for (long k = 0, d = NV_LENGTH_S(x); k < d; ++k) sum += p[k] * q[k];
  return sum;
}
double weighted_norm(N_Vector x, N_Vector w) {
  const double *p = data(x), *q = data(w);
  double sum = 0;
  const long d = NV_LENGTH_S(x);
  for (long k = 0; k < d; ++k) sum += p[k] * q[k] * p[k] * q[k];
  return std::sqrt(sum / static_cast<double>(d));
}

System read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  double head[4];
  file.read(reinterpret_cast<char*>(head), sizeof head);
  System of;
  of.d = static_cast<long>(head[0]), of.gamma = head[1], of.T = head[2], of.variance = head[3];
  for (auto* v : {&of.h, &of.A, &of.C, &of.s}) {
    v->resize(static_cast<std::size_t>(of.d));
    file.read(reinterpret_cast<char*>(v->data()), of.d * 8);
  }
  if (!file) std::fprintf(stderr, "%s: too short\n", path), std::exit(2);
  return of;
}

double solve(System& of, double rtol) {
  SUNContext context;
  SUNContext_Create(nullptr, &context);
  std::vector<double> state = of.s;
  N_Vector s = N_VMake_Serial(of.d, state.data(), context);
  s->ops->nvlinearsum = linear_sum;
  s->ops->nvscale = scale;
  s->ops->nvdotprod = dot;
  s->ops->nvwrmsnorm = weighted_norm;
  void* solver = CVodeCreate(CV_BDF, context);
  CVodeInit(solver, derivative, 0, s);
  CVodeSetUserData(solver, &of);
  CVodeSetMaxNumSteps(solver, 10000000);
  CVodeSStolerances(solver, rtol, 1e-3 * rtol);
  SUNLinearSolver linear = SUNLinSol_SPGMR(s, SUN_PREC_LEFT, 0, context);
  CVodeSetLinearSolver(solver, linear, nullptr);
  CVodeSetPreconditioner(solver, nullptr, precondition);
  double t = 0;
  const int flag = CVode(solver, of.T, s, &t, CV_NORMAL);
  const double risk = flag < 0 ? NAN : of.risk(data(s));
  SUNLinSolFree(linear);
  CVodeFree(&solver);
  N_VDestroy(s);
  SUNContext_Free(&context);
  return risk;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  System of = read(argv[1]);
  double least = HUGE_VAL, risk = NAN;
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    const auto begun = std::chrono::steady_clock::now();
    risk = solve(of, std::atof(argv[2]));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    least = std::min(least, took.count());
  }
  std::printf("%.6g %.17g\n", least, risk);
}
