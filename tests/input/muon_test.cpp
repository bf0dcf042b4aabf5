// Muon's own keys, which it shares names of with the chain, and the signal that a theory allows
// for.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "riskcurve/input/input.hpp"
#include "round_trip.hpp"

namespace riskcurve {
namespace {

std::string muon_file(const std::string& keys = "", const std::string& run = "",
                      bool matrix = true) {
  const std::string problem =
      matrix ? "geometry = 'matrix'\ncovariance_out = { kind = 'isotropic', dimension = 4 }\n"
               "covariance_in = { kind = 'isotropic', dimension = 5 }\n"
             : "covariance = { kind = 'isotropic', dimension = 8 }\n";
  return "[problem]\n" + problem + "target = { kind = 'isotropic' }\n[optimizer]\nname = 'muon'\n" +
         keys + "\n[schedule]\nkind = 'constant'\nstep = 0.01\n[run]\nsteps = 40\n" + run;
}

Experiment read_muon(const std::string& keys = "", const std::string& run = "") {
  return parse_experiment(muon_file(keys, run));
}
Muon muon_of(const std::string& keys) {
  return std::get<Muon>(read_muon(keys).optimizer);
}

std::string muon_error(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}
std::string muon_error(const std::string& keys, const std::string& run = "") {
  return muon_error([&] { read_muon(keys, run); });
}

TEST(ReadMuon, EveryKeyArrives) {
  EXPECT_EQ(muon_of(""), Muon{});
  const Muon muon = muon_of(
      "batch = 7\nmomentum = 0.9\nnesterov = false\nns_steps = 2\n"
      "ns_coefficients = [2, -1.5, 0.5]\nadjust_lr_fn = 'match_rms_adamw'");
  EXPECT_EQ(muon, (Muon{7, 0.9, false, 2, {2, -1.5, 0.5}, Muon::Adjust::match_rms_adamw}));
}

TEST(ReadMuon, MomentumIsItsOwnAndNotTheChains) {
  const Experiment experiment = read_muon("momentum = 0.9\nnesterov = true\nweight_decay = 0");
  EXPECT_TRUE(experiment.chain.empty());
  EXPECT_EQ(muon_error("momentum = 1"),
            "optimizer.momentum = 1: expected a finite number >= 0 and < 1");
}

TEST(ReadMuon, DecaysWeightsByATenthWhereTheFileIsSilent) {
  EXPECT_EQ(*read_muon().chain.weight_decay, constant_schedule(0.1));
  EXPECT_EQ(*read_muon("weight_decay = 0.3").chain.weight_decay, constant_schedule(0.3));
  EXPECT_FALSE(read_muon("weight_decay = 0").chain.weight_decay);
  EXPECT_FALSE(read_muon("weight_decay = 0.0").chain.weight_decay);
}

TEST(ReadMuon, TriplesAreAListOfListsOrOneList) {
  const std::vector<double> six = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(muon_of("ns_steps = 2\nns_coefficients = [[1, 2, 3], [4, 5, 6]]").ns_coefficients, six);
  EXPECT_EQ(muon_of("ns_steps = 2\nns_coefficients = [1, 2, 3, 4, 5, 6]").ns_coefficients, six);
  EXPECT_EQ(muon_of("ns_coefficients = [[1, 2, 3]]").ns_coefficients,
            (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(muon_error("ns_steps = 3\nns_coefficients = [[1, 2], [3, 4], [5, 6]]"),
            "optimizer.ns_coefficients = [ [ 1, 2 ], [ 3, 4 ], [ 5, 6 ] ]: expected numbers, or "
            "triples of them");
  EXPECT_EQ(muon_error("ns_coefficients = [1, 'a', 2]"),
            "optimizer.ns_coefficients[1] = 'a': expected a number");
}

TEST(ReadMuon, GoesWithNothingThatAveragesGradientsOrAddsToThem) {
  EXPECT_EQ(muon_error("schedule_free = {}"),
            "optimizer.schedule_free = (given): expected none beside muon, which has averages of "
            "its own");
  EXPECT_TRUE(muon_error("l2 = 0.1").starts_with("optimizer.l2 = 0.1: expected 0 with muon"));
  EXPECT_EQ(muon_error("lookahead = { sync_period = 3 }\naverage = { kind = 'ema' }"), "no error");
  Experiment built = read_muon();
  built.chain.momentum = constant_schedule(0.5);
  EXPECT_EQ(muon_error([&] { validate(built); }),
            "optimizer.momentum = 0.5: expected none beside muon, which has averages of its own");
}

TEST(ToToml, EveryMuonRoundTrips) {
  for (const std::string keys :
       {"", "weight_decay = 0", "weight_decay = { kind = 'cosine', value = 0.2 }", "momentum = 0",
        "nesterov = false", "batch = { kind = 'linear', value = 3, final_value = 9 }",
        "ns_coefficients = [2, -1.5, 0.5]", "adjust_lr_fn = 'original'",
        "ns_steps = 2\nns_coefficients = [[1, 2, 3], [4, 5, 0.1]]"})
    expect_round_trip(read_muon(keys));
}

TEST(ToToml, EverySignalRoundTrips) {
  EXPECT_EQ(read_muon().signal, Signal::automatic);
  EXPECT_EQ(read_muon("", "signal = 'auto'").signal, Signal::automatic);
  EXPECT_EQ(read_muon("", "signal = 'small'").signal, Signal::small);
  EXPECT_EQ(read_muon("", "signal = 'full'").signal, Signal::full);
  EXPECT_EQ(muon_error("", "signal = 'large'"),
            "run.signal = 'large': expected one of \"auto\", \"small\", \"full\"");
  for (const std::string run : {"", "signal = 'small'", "signal = 'full'"})
    expect_round_trip(read_muon("", run));
  EXPECT_FALSE(read_muon("", "signal = 'full'") == read_muon());
}

}  // namespace
}  // namespace riskcurve
