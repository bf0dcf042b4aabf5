// Damaged problem files and grids, read and predicted: the work is done, or refused in one line.
#include "fuzz.hpp"

#include <array>
#include <cmath>

#include "input/read.hpp"
#include "riskcurve/analysis/predict.hpp"
#include "riskcurve/analysis/sweep.hpp"

namespace riskcurve {
namespace {

using fuzz::Source;
using fuzz::Tally;

std::string vector_file(const std::string& covariance, const std::string& target,
                        const std::string& noise, const std::string& optimizer,
                        const std::string& schedule, const std::string& run) {
  return "[problem]\ncovariance = { " + covariance + " }\ntarget = { " + target + " }\nnoise = { " +
         noise + " }\n[optimizer]\n" + optimizer + "\n[schedule]\n" + schedule + "\n[run]\n" + run +
         "\n";
}

std::string matrix_file(const std::string& out, const std::string& in, const std::string& target,
                        const std::string& noise, const std::string& optimizer) {
  return "[problem]\ngeometry = \"matrix\"\ncovariance_out = { " + out + " }\ncovariance_in = { " +
         in + " }\ntarget = { " + target + " }\nnoise = { " + noise + " }\n[optimizer]\n" +
         optimizer +
         "\n[schedule]\nkind = \"constant\"\nstep = 0.01\n[run]\nsteps = 20\npoints = 4\n";
}

/// Between them, every kind of table.
std::vector<std::string> valid_files() {
  const std::string power = "kind = \"power_law\", beta = 0.2, risk = 0.5",
                    equal = "kind = \"isotropic\", risk = 2.0",
                    constant = "kind = \"constant\"\nstep = 0.01",
                    sgd = "name = \"sgd\"\nbatch = 2", sign = "name = \"sign_sgd\"\nbatch = 3",
                    run = "steps = 20\nat = [0, 3, 20]";
  return {
      vector_file("kind = \"power_law\", dimension = 12, alpha = 0.6", power,
                  "kind = \"student_t\", nu = 1.0, scale = 0.2", "name = \"sign_sgd\"", constant,
                  run),
      vector_file("kind = \"isotropic\", dimension = 9, value = 2.0", equal,
                  "kind = \"gaussian\", std = 0.3", sgd,
                  "kind = \"cosine\"\nscaled_step = 0.1\nfinal_scaled_step = 0.01\nwarmup = 5",
                  run),
      vector_file("kind = \"exponential_decay\", dimension = 12, length = 3", power,
                  "kind = \"laplace\", scale = 0.2",
                  "name = \"clipped_sgd\"\nthreshold = 1.5\nclip = \"sample\"",
                  "kind = \"power_decay\"\nstep = 0.05\nexponent = 0.5\ndelay = 4",
                  "steps = 50\npoints = 5\nspacing = \"log\""),
      vector_file("kind = \"spiked\", dimension = 10, spikes = [4, 2.5], bulk = 0.5", equal,
                  "kind = \"uniform\", half_width = 0.4", sign,
                  "kind = \"piecewise\"\nfrom = [0, 5, 12]\nstep = [0.02, 0.01, 0.005]", run),
      vector_file("kind = \"marchenko_pastur\", dimension = 10, ratio = 0.5", power,
                  "kind = \"rademacher\", scale = 0.2", sgd,
                  "kind = \"tabulated\"\nat = [0, 10]\nstep = [0.02, 0.01]", run),
      vector_file(
          "kind = \"eigenvalues\", values = [3, 1, 0.5, 0], orientation = \"diagonal\"",
          "kind = \"file\", path = \"four.csv\", risk = 1",
          "kind = \"mixture\", components = [{ weight = 0.9, kind = \"gaussian\", std = 0.1 }, "
          "{ weight = 0.1, kind = \"laplace\", scale = 2 }]",
          "name = \"sign_sgd\"", "kind = \"tabulated\"\nfile = \"steps.csv\"", run),
      vector_file("kind = \"ar1\", dimension = 4, correlation = -0.5",
                  "kind = \"file\", path = \"four.csv\"",
                  "kind = \"empirical\", path = \"four.csv\"", sign, constant, run),
      vector_file("kind = \"toeplitz\", first_row = [2, 1, 0.5], orientation = \"generic\"", power,
                  "kind = \"none\"",
                  "name = \"clipped_sgd\"\nclip = \"batch\"\nthreshold = { kind = \"constant\", "
                  "value = 0.7 }",
                  constant, run),
      vector_file("kind = \"matrix\", path = \"matrix.csv\"", equal,
                  "kind = \"empirical\", path = \"data.csv\", column = 2", sign, constant, run),
      vector_file(
          "kind = \"data\", path = \"data.csv\", columns = [1, 3], center = true, scale = 0.5",
          "kind = \"fit\", labels = \"data.csv\", column = 4, positive = 1", "kind = \"residuals\"",
          sgd, constant, run),
      "[problem]\nstart = { kind = \"file\", path = \"three.csv\" }\n"
      "target = { kind = \"file\", path = \"three.csv\" }\n"
      "covariance = { kind = \"data\", path = \"data.csv\", columns = [1, 3], sample = "
      "\"gaussian\", "
      "orientation = \"generic\" }\n[optimizer]\n" +
          sgd + "\n[schedule]\n" + constant + "\n[run]\n" + run + "\n",
      matrix_file("kind = \"isotropic\", dimension = 3",
                  "kind = \"power_law\", dimension = 4, alpha = 0.3",
                  "kind = \"power_law\", beta = 0.2, sides = \"both\"",
                  "kind = \"gaussian\", std = 0.3", "name = \"sign_svd\"\nbatch = 3"),
      matrix_file("kind = \"eigenvalues\", values = [2, 1], orientation = \"diagonal\"",
                  "kind = \"ar1\", dimension = 3, correlation = 0.4",
                  "kind = \"file\", path = \"entries.csv\", risk = 1", "kind = \"none\"",
                  "name = \"sign_sgd\"\nbatch = 2"),
      matrix_file("kind = \"isotropic\", dimension = 2", "kind = \"isotropic\", dimension = 3",
                  "kind = \"isotropic\"", "kind = \"gaussian\", std = 0.1",
                  "name = \"schatten\"\nexponent = 0.5\nbatch = 4"),
      matrix_file("kind = \"isotropic\", dimension = 2", "kind = \"isotropic\", dimension = 2",
                  "kind = \"isotropic\"", "kind = \"laplace\", scale = 0.1",
                  "name = \"regularized_svd\"\nepsilon = 0.2\nbatch = 2"),
  };
}

class FuzzedProblems : public fuzz::Folder {
 protected:
  FuzzedProblems() {
    write("three.csv", "0.5\n-1\n0.25\n");
    write("four.csv", "0.5\n-1\n0.25\n2\n");
    write("data.csv", "1,2,0.5,1\n-1,0.3,2,0\n0.2,-1,-1,1\n2,1,0.1,0\n0.7,-0.2,1.5,1\n");
    write("matrix.csv", "2,1,0\n1,2,0.5\n0,0.5,1\n");
    write("entries.csv", "1,0.5,0.2\n-1,0,2\n");
    write("steps.csv", "step,step_size\n0,0.02\n10,0.01\n");
  }
};

/// Whether a file asks for no more than a moment. Its eigenvalue problems would be solved.
bool quick_to_read(const Fields& file) {
  if (!file.is_table("problem")) return true;
  const Fields problem = file.copy().table("problem");
  for (const char* side : {"covariance", "covariance_out", "covariance_in"}) {
    if (!problem.is_table(side)) continue;
    try {
      const Fields covariance = problem.table(side);
      const std::string kind = covariance.text("kind");
      if (kind != "ar1" && kind != "marchenko_pastur") continue;
      if (covariance.number("dimension") > 100) return false;
    } catch (const InputError&) {
      continue;  // refused as well where it is read in earnest
    }
  }
  return true;
}

bool quick_to_predict(const Experiment& experiment, int predicted) {
  const Eigen::Index modes = experiment.is_matrix() ? experiment.matrix().initial.size()
                                                    : experiment.vector().initial.size();
  // Its coefficients at 28 risks: half a second.
  if (std::holds_alternative<RegularizedSvd>(experiment.optimizer) && predicted % 100 > 0)
    return false;
  if (batch_of(experiment.optimizer) > 8) return false;
  return modes <= 16 && experiment.run.at.size() <= 60;
}

void read_and_predict(const Fields& file, const std::string& text, int& predicted) {
  const Experiment experiment = read_experiment(file);
  if (!quick_to_predict(experiment, predicted)) return;
  SolveOptions options;
  options.max_steps = 60;
  options.rtol = 1e-6;
  const RiskCurve curve = predict(experiment, options).curve;
  ++predicted;
  EXPECT_TRUE(curve.risk.isFinite().all() && (curve.risk >= 0).all()) << fuzz::literal(text);
  if (curve.status != RiskCurve::Status::ok) fuzz::expect_one_line(curve.message, text);
}

TEST_F(FuzzedProblems, UndamagedArePredicted) {
  for (const std::string& text : valid_files()) {
    int predicted = 0;
    EXPECT_NO_THROW(
        read_and_predict(Fields::from_file(write("problem.toml", text)), text, predicted))
        << text;
    EXPECT_EQ(predicted, 1) << text;
  }
}

TEST_F(FuzzedProblems, OfRandomBytesAreRefusedInOneLine) {
  Source source(1);
  const std::vector<std::string> valid = valid_files();
  Tally tally;
  for (int i = 0; i < 1500; ++i) {
    const std::string& start = source.pick(valid);
    for (const std::string& text : {source.bytes(200), source.of("[]{}=.,\"'#\n\\u0 ex_-", 60),
                                    start.substr(0, source.below(start.size())) + source.bytes(20)})
      fuzz::expect_taken_or_refused(text, tally,
                                    [&] { read_experiment(write("problem.toml", text)); });
  }
  EXPECT_GT(tally.refused, 3000);
}

TEST_F(FuzzedProblems, ArePredictedOrRefusedInOneLine) {
  Source source(2);
  Tally tally;
  int predicted = 0;
  const std::vector<std::string> valid = valid_files();
  for (int i = 0; i < 3000; ++i) {
    // Numbers mostly: a damaged word is soon refused.
    std::string text = source.pick(valid);
    text = i % 3 == 0 ? source.damaged(text, source.pick(valid)) : source.renumbered(text);
    if (i % 2 == 0) text = source.renumbered(text);
    fuzz::expect_taken_or_refused(
        text, tally,
        [&] {
          const Fields file = Fields::from_file(write("problem.toml", text));
          if (quick_to_read(file)) read_and_predict(file, text, predicted);
        },
        true);
  }
  EXPECT_GT(predicted, 300);
  EXPECT_GT(tally.refused, 1000);
}

TEST_F(FuzzedProblems, GridsOfThemAreReadOrRefusedInOneLine) {
  const std::vector<std::string> valid = {
      "problem = \"problem.toml\"\nfind = \"step\"\n[[vary]]\nfield = \"optimizer.batch\"\n"
      "values = [1, 4]\n[[vary]]\nfield = \"optimizer.name\"\nvalues = [\"sgd\", \"sign_sgd\"]\n",
      "problem = \"problem.toml\"\n[[vary]]\nfield = \"schedule.step\"\nfrom = 1e-4\nto = 1e-2\n"
      "count = 3\nspacing = \"log\"\n[[vary]]\nfield = \"problem.target.risk\"\nfrom = 0\nto = 2\n"
      "count = 2\n",
      "problem = \"problem.toml\"\nfind = \"exponents\"\nagainst = [\"horizon\"]\n[[vary]]\n"
      "field = \"optimizer.batch\"\nvalues = [1]\n"};
  write("problem.toml", vector_file("kind = \"isotropic\", dimension = 5", "kind = \"isotropic\"",
                                    "kind = \"gaussian\", std = 0.1", "name = \"sgd\"",
                                    "kind = \"constant\"\nstep = 0.01", "steps = 5\npoints = 2"));
  Source source(3);
  Tally read, run;
  for (int i = 0; i < 3000; ++i) {
    std::string text = source.pick(valid);
    text = i % 3 > 0 ? source.damaged(text, source.pick(valid)) : source.renumbered(text);
    fuzz::expect_taken_or_refused(text, read, [&] {
      const Sweep sweep = read_sweep(Fields::from_file(write("grid.toml", text)));
      ASSERT_GE(sweep.points(), 1);
      const long last = sweep.points() - 1;
      EXPECT_EQ(sweep.values(last).size(), sweep.axes.size()) << text;
      if (sweep.find != Sweep::Find::risk) return;
      fuzz::expect_taken_or_refused(text, run, [&] {
        EXPECT_EQ(sweep_row(sweep, last).size(), sweep.columns().size()) << text;
      });
    });
  }
  EXPECT_GT(read.refused, 500);
  EXPECT_GT(read.taken, 500);
  EXPECT_GT(run.taken, 50);
  EXPECT_GT(run.refused, 10);
}

/// Twenty axes of a million values would be gigabytes before their product is refused.
TEST_F(FuzzedProblems, GridsOfFarTooManyPointsAreRefusedBeforeTheyAreFilled) {
  std::string text = "problem = \"problem.toml\"\n";
  for (int i = 0; i < 100; ++i)
    text += "[[vary]]\nfield = \"x\"\nfrom = 1\nto = 2\ncount = 1000000\n";
  EXPECT_THROW(read_sweep(Fields::from_text(text)), InputError);
}

}  // namespace
}  // namespace riskcurve
