#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "simulate/singular_values.hpp"

namespace riskcurve {

MatrixUpdate update_of(const TruncatedSvd& truncated, const MatrixProblem&) {
  SingularMap map;
  map.all = [share = truncated.share](Eigen::VectorXd& s) {
    std::vector<Eigen::Index> order(static_cast<std::size_t>(s.size()));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, std::greater{}, [&s](Eigen::Index k) { return s[k]; });
    // 0.1 of 30 are 3, whatever their product is rounded to.
    const double dropped = std::ceil(share * static_cast<double>(s.size()) * (1 - 1e-14));
    for (std::size_t k = 0; k < order.size(); ++k)
      s[order[k]] = static_cast<double>(k) < dropped ? 0 : 1;
  };
  return update_by(map);
}

}  // namespace riskcurve
