#include <cmath>

#include "riskcurve/report/results.hpp"

namespace riskcurve {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

/// So steep a power is an exponential.
constexpr double kExponential = 20;

/// A number of each of a list.
template <class List, class Of>
ArrayXd column(const List& list, Of of) {
  ArrayXd values(static_cast<Index>(list.size()));
  for (Index i = 0; i < values.size(); ++i) values[i] = of(list[static_cast<std::size_t>(i)]);
  return values;
}

}  // namespace

Record to_record(const std::vector<BudgetPoint>& scan, const JointOptions& options) {
  Record record;
  record.column("batch", column(scan, [](const BudgetPoint& p) { return p.batch; }));
  record.column("steps", column(scan, [](const BudgetPoint& p) { return p.steps; }));
  for (const std::string& name : options.over)
    record.column(name, column(scan, [&](const BudgetPoint& p) {
                    return p.best.found ? p.best.value.at(name) : NAN;
                  }));
  record.column(options.averaged ? "averaged_risk" : "risk",
                column(scan, [](const BudgetPoint& p) { return p.best.risk; }));
  return record;
}

Record to_record(const std::vector<ShapeOptimum>& shapes) {
  std::vector<std::string> names;
  for (const ShapeOptimum& shape : shapes) names.push_back(shape.shape);
  const auto found = [&](auto of) {
    return column(shapes, [&](const ShapeOptimum& s) { return s.best.found ? of(s) : NAN; });
  };
  const ArrayXd risk = found([](const ShapeOptimum& s) { return s.best.risk; });
  Record record;
  record.column("shape", names);
  record.column("step", found([](const ShapeOptimum& s) { return s.step; }));
  record.column("exponent", found([](const ShapeOptimum& s) {
                  if (s.shape != "polynomial" && s.shape != "power_decay") return double{NAN};
                  const double exponent = s.best.parameters[1];
                  return exponent < kExponential ? exponent : double{NAN};
                }));
  record.column("risk", risk);
  record.column("above_percent",
                ArrayXd(100 * (risk / risk.minCoeff<Eigen::PropagateNumbers>() - 1)));
  record.column("horizon_exponent",
                found([](const ShapeOptimum& s) { return s.horizon_exponent; }));
  return record;
}

}  // namespace riskcurve
