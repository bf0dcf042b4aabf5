#pragma once
#include "riskcurve/analysis/phases.hpp"
#include "riskcurve/eigen.hpp"
#include "riskcurve/run/table.hpp"

namespace riskcurve {

/// A map over (alpha, beta) as a table, to be filled by run/table.hpp, rows over beta first; a
/// point of it is a column of the map (phase_column) where targets share rates, else one (alpha,
/// beta). Columns: alpha, beta; phase, 0 the first optimizer ahead at every horizon, 1 the order
/// changes, 2 the second ahead, 3 never apart; of each of the two its exponent, the error of that,
/// and the derived one where there is one; risks at the horizons; the trust numbers, and which of
/// them are out of range. Throws InputError as derived_exponent does; its rows as phase_column.
Table phase_table(const PhasePlan& plan, const Eigen::ArrayXd& alpha, const Eigen::ArrayXd& beta);

}  // namespace riskcurve
