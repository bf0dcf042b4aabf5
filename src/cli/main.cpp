#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "cli/command.hpp"
#include "cli/limit.hpp"
#include "cli/progress.hpp"
#include "cli/ranks.hpp"
#include "riskcurve/problem/error.hpp"
#include "riskcurve/version.hpp"

namespace {

using namespace riskcurve::cli;

constexpr void (*commands[])(CLI::App&, Action&) = {
    add_predict, add_simulate, add_compare, add_spectrum, add_coefficients,
    add_optimum, add_advise,   add_sweep,   add_phases,   add_transfer,
    add_fit,     add_validate, add_merge};

int complain(std::string line, int code) {
  std::replace(line.begin(), line.end(), '\n', ' ');
  fmt::print(stderr, "riskcurve: {}\n", line);
  return code;
}

/// Of several ranks only the first speaks, and works on what is not shared: what has no shards.
bool shared(const CLI::App& app) {
  return app.get_subcommands().front()->get_option_no_throw("--shard");
}

int run(int argc, char** argv) {
  try {
    CLI::App app(
        "Risk curves of optimizers in high dimensions: SGD, SignSGD, SignSVD, Adam, Lion and their "
        "kin",
        "riskcurve");
    app.set_version_flag("--version", "riskcurve " RISKCURVE_VERSION);
    app.require_subcommand(1);
    Action action;
    for (const auto add : commands) add(app, action);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      if (rank() > 0) return exit_ok;
      if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
      return complain(std::string(error.what()) + " (see riskcurve --help)", exit_bad_input);
    } catch (const riskcurve::InputError&) {
      if (rank() > 0) return exit_ok;
      throw;
    }
    catch_interrupts();
    return rank() == 0 || shared(app) ? action() : exit_ok;
  } catch (const riskcurve::InputError& error) {
    return complain(error.what(), exit_bad_input);
  } catch (const std::bad_alloc&) {
    return complain("not enough memory for this problem", exit_failure);
  } catch (const std::exception& error) {
    return complain(error.what(), exit_failure);
  }
}

}  // namespace

int main(int argc, char** argv) {
  start_again_under_a_limit(argv);
  keep_memory();
  start_ranks();
  return end_ranks(run(argc, argv));
}
