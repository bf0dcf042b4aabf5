#include <dlfcn.h>

#include <cmath>
#include <cstdio>

int main(int, char** argv) {
  for (int i = 0; i < 2; ++i) {  // loaded again after it was let go
    void* const plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!plugin) {
      std::puts(dlerror());
      return 1;
    }
    const auto slope = reinterpret_cast<double (*)()>(dlsym(plugin, "slope_of_a_power_law"));
    if (!slope || std::abs(slope() + 0.5) > 1e-12) return 1;
    dlclose(plugin);
  }
}
