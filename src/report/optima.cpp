#include <cmath>

#include "report/of_each.hpp"
#include "riskcurve/report/results.hpp"

namespace riskcurve {

using Eigen::ArrayXd;

Record to_record(const std::vector<BudgetPoint>& scan, const JointOptions& options) {
  Record record;
  record.column("batch", numbers_of(scan, [](auto& p) { return p.batch; }));
  record.column("steps", numbers_of(scan, [](auto& p) { return p.steps; }));
  for (const std::string& name : options.over)
    record.column(name, numbers_of(scan, [&](auto& p) {
                    return p.best.found ? p.best.value.at(name) : NAN;
                  }));
  record.column(options.averaged ? "averaged_risk" : "risk",
                numbers_of(scan, [](auto& p) { return p.best.risk; }));
  return record;
}

Record to_record(const std::vector<ShapeOptimum>& shapes) {
  const auto found = [&](auto of) {
    return numbers_of(shapes, [&](auto& s) { return s.best.found ? of(s) : NAN; });
  };
  const ArrayXd risk = found([](auto& s) { return s.best.risk; });
  Record record;
  record.column("shape", texts_of(shapes, [](auto& s) { return s.shape; }));
  record.column("step", found([](auto& s) { return s.step; }));
  record.column("exponent", found([](auto& s) {
                  const bool has_one = s.shape == "polynomial" || s.shape == "power_decay";
                  return has_one && s.best.parameters[1] < kExponential ? s.best.parameters[1]
                                                                        : double{NAN};
                }));
  record.column("risk", risk);
  record.column("above_percent",
                ArrayXd(100 * (risk / risk.minCoeff<Eigen::PropagateNumbers>() - 1)));
  record.column("horizon_exponent", found([](auto& s) { return s.horizon_exponent; }));
  return record;
}

}  // namespace riskcurve
