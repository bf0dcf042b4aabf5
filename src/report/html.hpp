#pragma once
#include <string>

#include "riskcurve/report/plot.hpp"

namespace riskcurve {

/// Text as it may stand in an element or an attribute of HTML.
std::string escaped(const std::string& text);

/// The lines and points of a figure as an <svg> element that takes its colours from the page:
/// classes s0, s1, .. a series, `axis` for what stands around them. No gnuplot.
std::string svg_of(const Figure& figure);

}  // namespace riskcurve
