#pragma once
#include <Eigen/Core>
#include <cstdint>

// Arrays cross between the library and a program by value: both must align, allocate and free them
// alike. A library of alignment 16 serves programs without -mavx, -mavx512f or -march=native, one
// of 64 serves all of them, but no other library that Eigen's arrays are handed to. The CMake
// target riskcurve::riskcurve brings the definitions that go with it.
#ifndef RISKCURVE_ARRAY_ALIGNMENT
#define RISKCURVE_ARRAY_ALIGNMENT 16
#endif
static_assert(
    EIGEN_DEFAULT_ALIGN_BYTES == RISKCURVE_ARRAY_ALIGNMENT && EIGEN_MAX_STATIC_ALIGN_BYTES == 16,
    "riskcurve: this file aligns arrays unlike the library (-mavx, -march=native?): leave "
    "out these flags, or build riskcurve with -DRISKCURVE_ARRAY_ALIGNMENT=64 and link "
    "riskcurve::riskcurve");
#if RISKCURVE_ARRAY_ALIGNMENT == 16 && UINTPTR_MAX > 0xffffffff
static_assert(EIGEN_MALLOC_ALREADY_ALIGNED,
              "riskcurve: compile with -DEIGEN_MALLOC_ALREADY_ALIGNED=1, or link "
              "riskcurve::riskcurve");
#endif
#ifdef EIGEN_HAS_OPENMP
static_assert(false,
              "riskcurve: compile with -DEIGEN_DONT_PARALLELIZE, or link riskcurve::riskcurve");
#endif
