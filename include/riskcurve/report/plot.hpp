#pragma once
#include <optional>
#include <string>
#include <vector>

#include "riskcurve/eigen.hpp"

namespace riskcurve {

struct Series {
  enum class Style { line, dashes, points, error_bars, faint };
  Style style = Style::line;
  std::string label;  ///< empty: not in the key
  Eigen::ArrayXd x, y;
  Eigen::ArrayXd spread = {};  ///< error_bars: half the height of each bar
  int colour = -1;  ///< number of a colour; -1: lines take the next one, others that of their style
};

/// A field of colours over a regular grid of cell centres.
struct HeatMap {
  Eigen::ArrayXd x, y;
  Eigen::ArrayXXd value;  ///< shape (x, y); nan: left white
  std::vector<std::string>
      classes;  ///< if any, values are indices into them and the key names them
};

/// A plot. Points that an axis cannot show (not finite, or not positive on a logarithmic axis) are
/// left out.
struct Figure {
  std::string title, x_label, y_label;
  bool log_x = false, log_y = false;
  std::optional<HeatMap> map;  ///< behind the series; its grid is the range of the axes
  std::vector<Series> series;  ///< drawn in order, later ones on top
};

/// An axis of these values reads better in logarithms: positive steps whose gaps grow as they go.
bool log_spaced(const Eigen::ArrayXd& x);
/// The positive values span more than a decade, and there are none but positive (and nan) ones.
bool spans_a_decade(const Eigen::ArrayXd& y);

/// Has a point that its axes can show.
bool shows_anything(const Figure& figure);

/// The gnuplot program that draws the figures side by side, for `terminal` ("svg", "pngcairo") into
/// `output`.
std::string gnuplot_script(const std::vector<Figure>& figures, const std::string& terminal,
                           const std::string& output);

/// Throws Failure, saying what to install, when there is no gnuplot on PATH.
void require_gnuplot();
/// Draws the figures side by side into a .svg or .png file, whole or not at all, by running
/// gnuplot. Throws InputError for another extension, Failure when gnuplot is missing or fails, or
/// when no figure shows anything.
void plot(const std::vector<Figure>& figures, const std::string& path);
inline void plot(const Figure& figure, const std::string& path) {
  plot(std::vector<Figure>{figure}, path);
}

}  // namespace riskcurve
