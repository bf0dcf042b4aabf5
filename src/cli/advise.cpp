#include "riskcurve/analysis/advise.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/outputs.hpp"
#include "cli/progress.hpp"
#include "riskcurve/report/results.hpp"
#include "riskcurve/run/table.hpp"

namespace riskcurve::cli {
namespace {

struct AdviseArguments {
  std::string file, signal, html;
  int threads = 0;
  Outputs outputs;
};

int run(const AdviseArguments& options) {
  check(options.outputs);
  if (!options.html.empty()) check_output("--html", options.html, {".html"});
  const Loaded loaded = load(options.file, options.signal);
  std::optional<Advice> found;
  {
    Progress progress("advising");
    AdviseOptions advise_options;
    advise_options.threads = options.threads;
    advise_options.progress = std::ref(progress);
    found = advise(loaded.experiment, advise_options);
  }
  Result result;
  result.title = loaded.title;
  result.record = to_record(*found);
  result.table = Record();
  std::string text = to_text(*found);
  text.pop_back();  // a note ends its own line
  result.notes = {text};
  result.warned = true;
  const std::vector<Figure> figures = to_figures(*found);
  result.figure = figures[0];
  result.beside = {figures[1]};
  if (!options.html.empty()) write_file(options.html, to_html(*found, loaded.title));
  return emit(result, options.outputs);
}

}  // namespace

void add_advise(CLI::App& app, Action& action) {
  auto options = std::make_shared<AdviseArguments>();
  CLI::App* command = app.add_subcommand(
      "advise", "what to do with a problem, in words: step, schedule, optimizer, what pays");
  add_file(*command, options->file);
  command->add_option("--html", options->html, "write the advice as a page that stands alone");
  command->add_option("--threads", options->threads, "threads, 0 for all; changes no number")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  add_signal(*command, options->signal);
  add_outputs(*command, options->outputs);
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace riskcurve::cli
