"""Builds the package by CMake. Compilers, flags and options come from the environment, as CMake reads it: CXX,
CXXFLAGS, CMAKE_ARGS. RISKCURVE_BUILD names a build folder to go on with; CMAKE_BUILD_PARALLEL_LEVEL how many
files are compiled at a time."""

import os
import re
import shlex
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

here = os.path.dirname(os.path.abspath(__file__))


def version():
    with open(os.path.join(here, "include", "riskcurve", "version.hpp"), encoding="utf-8") as file:
        return re.search(r'define RISKCURVE_VERSION "([^"]*)"', file.read()).group(1)


class CMakeBuild(build_ext):
    def build_extension(self, extension):
        build = os.environ.get("RISKCURVE_BUILD") or os.path.join(self.build_temp, "cmake")
        build = os.path.abspath(build)
        # What a folder was configured with stays: it may hold the command and the tests as well.
        plain = [] if os.path.exists(os.path.join(build, "CMakeCache.txt")) else [
            "-DCMAKE_BUILD_TYPE=Release", "-DRISKCURVE_BUILD_CLI=OFF", "-DRISKCURVE_BUILD_TESTS=OFF"
        ]
        options = ["-DRISKCURVE_BUILD_PYTHON=ON", f"-DPython_EXECUTABLE={sys.executable}"]
        given = shlex.split(os.environ.get("CMAKE_ARGS", ""))
        os.environ.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count() or 1))
        subprocess.check_call(["cmake", "-S", here, "-B", build, *plain, *options, *given])
        subprocess.check_call(["cmake", "--build", build, "--target", "riskcurve_python_package"])
        where = os.path.abspath(self.build_lib)
        subprocess.check_call(["cmake", "--install", build, "--component", "python", "--prefix", where, "--strip"])

    def get_outputs(self):
        where = os.path.join(self.build_lib, "riskcurve")
        return [os.path.join(folder, name) for folder, _, names in os.walk(where) for name in names]


setup(version=version(), ext_modules=[Extension("riskcurve._core", [])], cmdclass={"build_ext": CMakeBuild})
