#pragma once
#include <Eigen/Core>

// Arrays cross between the library and a program by value, so both must align, allocate and free
// them alike, whatever instruction set either is compiled for. The CMake target
// riskcurve::riskcurve brings the two definitions; without CMake, give them to the compiler.
static_assert(EIGEN_DEFAULT_ALIGN_BYTES == 16 && EIGEN_MAX_STATIC_ALIGN_BYTES == 16,
              "riskcurve: compile with -DEIGEN_MAX_ALIGN_BYTES=16, or link riskcurve::riskcurve");
#ifdef EIGEN_HAS_OPENMP
static_assert(false,
              "riskcurve: compile with -DEIGEN_DONT_PARALLELIZE, or link riskcurve::riskcurve");
#endif
