# What the library is built from. Included here and by the installed package. What the project has
# already, from wherever, serves.
include(CMakeFindDependencyMacro)
macro(riskcurve_needs target)
  if(NOT TARGET ${target})
    find_dependency(${ARGN})
  endif()
endmacro()
riskcurve_needs(Eigen3::Eigen Eigen3 3.3 NO_MODULE)
riskcurve_needs(Boost::headers Boost 1.74 CONFIG)
riskcurve_needs(Threads::Threads Threads)
riskcurve_needs(ZLIB::ZLIB ZLIB)
riskcurve_needs(fmt::fmt fmt)
riskcurve_needs(nlohmann_json::nlohmann_json nlohmann_json)
riskcurve_needs(tomlplusplus::tomlplusplus tomlplusplus)
set(BLA_VENDOR OpenBLAS)  # which holds LAPACK too
riskcurve_needs(BLAS::BLAS BLAS)
