#include "run/ensemble.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "riskcurve/problem/error.hpp"
#include "run/journal.hpp"

namespace riskcurve {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// Run n: R = (n + 1) t, from an infinite R at time 4 on for every third run.
Trajectory line(std::uint64_t number) {
  const auto time = std::make_shared<double>(0);
  return {[time](double from, double to, Progress& progress) {
            EXPECT_EQ(from, *time);
            *time = to;
            progress.count();
            return true;
          },
          [time, number] {
            return number % 3 == 2 && *time >= 4 ? inf : static_cast<double>(number + 1) * *time;
          }};
}

const Eigen::ArrayXd kAt{{0.0, 2.5, 4.0, 5.0}};

TEST(RunEnsemble, RecordsSummarizesAndCountsWhatDiverged) {
  const Ensemble e = run_ensemble(kAt, 4, {.runs = 5, .threads = 2}, line);
  EXPECT_TRUE((e.steps == kAt).all());
  EXPECT_TRUE((e.risk.row(1).transpose() == 2.5 * Eigen::ArrayXd::LinSpaced(5, 1, 5)).all());
  EXPECT_EQ(e.mean[1], 7.5);
  EXPECT_DOUBLE_EQ(e.error[1], 2.5 * std::sqrt(2.5 / 5));
  EXPECT_EQ(e.diverged, 1);
  EXPECT_EQ(e.risk(2, 2), inf);
  EXPECT_EQ(e.risk(3, 2), inf);
  EXPECT_EQ(e.mean[3], inf);
  EXPECT_EQ(e.error[3], inf);
  EXPECT_FALSE(e.interrupted);
  EXPECT_TRUE(std::isnan(run_ensemble(kAt, 4, {.runs = 1}, line).error[1]));
}

TEST(RunEnsemble, KeepsTheRunsThatWereWholeWhenToldToStop) {
  std::vector<double> told;
  const auto until = [&](double last) {
    return [&told, last](double fraction) {
      told.push_back(fraction);
      return fraction < last;
    };
  };
  const Ensemble e = run_ensemble(kAt, 4, {.runs = 10, .threads = 1, .progress = until(0.5)}, line);
  EXPECT_TRUE(e.interrupted);
  EXPECT_EQ(e.risk.cols(), 5);  // run 2 counts less than a whole one
  EXPECT_EQ(e.diverged, 1);
  const Ensemble none =
      run_ensemble(kAt, 4, {.runs = 10, .threads = 1, .progress = until(0)}, line);
  EXPECT_EQ(none.risk.cols(), 0);
  EXPECT_TRUE(none.mean.isNaN().all());
}

TEST(RunEnsemble, GoesOnFromTheRunsThatAreKept) {
  const std::string path =
      (std::filesystem::temp_directory_path() / "riskcurve-kept-runs").string();
  remove_journals(path);
  std::vector<std::uint64_t> begun;
  const auto noted = [&](std::uint64_t number) {
    begun.push_back(number);
    return line(number);
  };
  KeptRuns kept{path, "lines", {}, {}};
  EnsembleOptions options{.runs = 5, .threads = 1, .kept = &kept};
  options.progress = [](double fraction) { return fraction < 0.6; };  // within run 3
  const Ensemble some = run_ensemble(kAt, 4, options, noted);
  EXPECT_TRUE(some.interrupted);
  EXPECT_EQ(some.risk.cols(), 3);
  EXPECT_EQ(kept.outcome.done, 3);
  options.progress = {};
  EXPECT_THROW(run_ensemble(kAt, 4, options, noted), InputError);  // not without `resume`

  kept.table.resume = true;
  const Ensemble all = run_ensemble(kAt, 4, options, noted);
  EXPECT_EQ(begun, (std::vector<std::uint64_t>{0, 1, 2, 3, 3, 4}));
  remove_journals(path);
  options.threads = 3;
  for (const long shard : {1, 2}) {
    kept.table = {.shard = shard, .shards = 2, .progress = {}};
    EXPECT_EQ(run_ensemble(kAt, 4, options, line).risk.cols(), 0);
    EXPECT_TRUE(kept.outcome.complete);
  }
  kept.table = {.merge = true, .progress = {}};
  const Ensemble merged = run_ensemble(kAt, 4, options, {});
  const Ensemble serial = run_ensemble(kAt, 4, {.runs = 5}, line);
  for (const Ensemble* const e : {&all, &merged}) {
    EXPECT_FALSE(e->interrupted);
    EXPECT_EQ(e->diverged, 1);
    EXPECT_TRUE((e->risk == serial.risk).all());
    EXPECT_TRUE((e->error == serial.error).all());
  }

  const std::string second = path + "-2-of-2";
  std::string text = read_file(second);
  text.replace(text.find("\n1,0,5,"), 7, "\n1,0,x,");
  write_file(second, text);
  try {
    run_ensemble(kAt, 4, options, {});
    ADD_FAILURE() << "a row without numbers";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("run 1"), std::string::npos) << error.what();
  }
  remove_journals(path);
}

TEST(RunEnsemble, RecordsAnAverageBesideTheRisk) {
  const auto with_average = [](std::uint64_t number) {
    Trajectory run = line(number);
    run.averaged_risk = [risk = run.risk] { return 2 * risk(); };
    return run;
  };
  const Ensemble e = run_ensemble(kAt, 4, {.runs = 5, .threads = 2}, with_average);
  EXPECT_TRUE((e.averaged_risk == 2 * e.risk).all());
  EXPECT_TRUE((e.averaged_mean == 2 * e.mean).all());
  EXPECT_TRUE((e.averaged_error == 2 * e.error).all());
  EXPECT_EQ(e.averaged_risk(2, 2), inf);
  const Ensemble none = run_ensemble(kAt, 4, {.runs = 5, .threads = 2}, line);
  EXPECT_EQ(none.averaged_risk.size() + none.averaged_mean.size() + none.averaged_error.size(), 0);
}

TEST(RunEnsemble, ThrowsWhatARunThrows) {
  EXPECT_THROW(run_ensemble(kAt, 4, {.runs = 8, .threads = 3},
                            [](std::uint64_t number) -> Trajectory {
                              if (number == 5) throw std::domain_error("five");
                              return line(number);
                            }),
               std::domain_error);
}

TEST(RunEnsemble, RefusesBadTimesAndOptionsByName) {
  const auto says = [](const Eigen::ArrayXd& times, const EnsembleOptions& options) {
    try {
      check_ensemble(times, "run.at", options);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(says(kAt, {}), "");
  EXPECT_NE(says(kAt, {.runs = 0}).find("runs"), std::string::npos);
  EXPECT_NE(says(kAt, {.threads = -1}).find("threads"), std::string::npos);
  EXPECT_NE(says({}, {}).find("run.at"), std::string::npos);
  for (const Eigen::ArrayXd& times :
       {Eigen::ArrayXd{{1.0, 1.0}}, Eigen::ArrayXd{{0.0, -1e-9}}, Eigen::ArrayXd{{0.0, inf}}})
    EXPECT_NE(says(times, {}).find("run.at[1]"), std::string::npos);
  EXPECT_NE(says(Eigen::ArrayXd{{0.0, -1e-9}}, {}).find("-1e-9"), std::string::npos);
}

TEST(RunEnsemble, StandardErrorsOfRisksWithoutSquaresAreThoseOfOthers) {
  const auto sized = [](double unit) {
    return run_ensemble(kAt, 4, {.runs = 5, .threads = 1}, [unit](std::uint64_t number) {
      Trajectory run = line(number % 2);
      return Trajectory{run.advance, [risk = run.risk, unit] { return unit * risk(); }};
    });
  };
  const Ensemble one = sized(1);
  for (const double unit : {0x1p-800, 0x1p800})
    EXPECT_TRUE((sized(unit).error / unit == one.error).all()) << unit;
}

}  // namespace
}  // namespace riskcurve
