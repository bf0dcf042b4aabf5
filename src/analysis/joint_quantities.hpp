#pragma once
#include <functional>
#include <string>

#include "riskcurve/integrate/sensitivity.hpp"
#include "riskcurve/problem/problem.hpp"

namespace riskcurve {

/// How x on the whole line stands for a value.
struct Scale {
  double (*value)(double x);
  double (*x)(double value);
  double (*slope)(double value);  ///< dvalue/dx
};

/// One quantity of the search.
struct Quantity {
  std::string name;
  Scale scale;
  double low, high;  ///< of x
  std::function<double(const Experiment& e, double horizon)> start;
  std::function<void(Experiment& e, double value)> set;
  /// dR/dvalue; empty: by differences of solves.
  std::function<double(const Sensitivity& s)> derivative;
};

/// The quantity of this name: the step size, what stands around any optimizer, a number of its own.
/// Throws InputError for what the experiment has not.
Quantity quantity(const std::string& name, const Experiment& e, bool averaged);

}  // namespace riskcurve
