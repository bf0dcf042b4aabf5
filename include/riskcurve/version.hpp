#pragma once
/// The version, for programs that serve several: CMake reads it from here.
#define RISKCURVE_VERSION_MAJOR 0
#define RISKCURVE_VERSION_MINOR 1
#define RISKCURVE_VERSION_PATCH 0
#define RISKCURVE_VERSION "0.1.0"
