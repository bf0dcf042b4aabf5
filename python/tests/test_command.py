"""Functions give the numbers of the command, to the last bit."""

import contextlib
import math
import pathlib

import numpy as np
import pytest

import riskcurve as rc

EXAMPLES = pathlib.Path(__file__).parents[2] / "validation" / "examples"
SIGN = EXAMPLES / "sign_sgd_cauchy.toml"
SVD = EXAMPLES / "sign_svd_matrix.toml"


def same(ours, theirs):
    """Null is nan or infinity in JSON."""
    if ours is None or isinstance(ours, (bool, str)):
        return ours == theirs
    theirs = np.array([[math.nan if x is None else x for x in row] if isinstance(row, list) else
                       math.nan if row is None else row for row in np.atleast_1d(np.array(theirs, dtype=object))], float)
    ours = np.atleast_1d(np.asarray(ours, float))
    ours = np.where(np.isfinite(ours), ours, np.nan)
    return ours.shape == theirs.reshape(ours.shape).shape and np.array_equal(ours, theirs.reshape(ours.shape), equal_nan=True)


def check(result, record, names, **called):
    for name in names:
        ours = getattr(result, called.get(name, name))
        if isinstance(record[name], dict):
            for key, value in record[name].items():
                assert same(ours[key], value), (name, key)
        else:
            assert same(ours, record[name]), name


@pytest.mark.parametrize("file", [SIGN, SVD], ids=["vector", "matrix"])
def test_predict(command, file):
    record = command("predict", file, "--bands")
    curve = rc.predict(file, bands=True)
    check(curve, record, ["steps", "risk", "population_risk", "deviation", "low", "high", "observables", "status",
                          "largest_stable_step", "step_by_step"])
    assert curve.warnings == record["warnings"] and curve.counters == record["counters"]
    assert all(same(getattr(curve.trust, key), value) for key, value in record["trust"].items())


def test_predict_keeps_modes(command):
    record = command("predict", SIGN, "--modes", "--method", "dopri5", "--rtol", "1e-6")
    curve = rc.predict(SIGN, modes=True, method="dopri5", rtol=1e-6)
    check(curve, record, ["risk", "modes", "mode_weight"])


@pytest.mark.parametrize("sde", [False, True])
def test_simulate(command, sde):
    record = command("simulate", SIGN, "--runs", 3, "--seed", 7, *(["--sde"] if sde else []))
    runs = rc.simulate(SIGN, runs=3, seed=7, sde=sde, threads=1)
    check(runs, record, ["steps", "mean", "standard_error", "risk_of_run", "runs", "seed", "diverged_runs", "message"])


def test_compare(command):
    record = command("compare", SIGN, "--runs", 3, "--bands")
    found = rc.compare(SIGN, runs=3, bands=True)
    check(found, record, ["predicted", "mean", "difference_in_standard_errors", "difference_percent", "inside_percent",
                          "coverage_percent", "worst_in_standard_errors", "worst_in_percent"])


def test_spectrum(command):
    record = command("spectrum", SIGN)
    check(rc.spectrum(SIGN), record, ["kind", "dimension", "trace", "norm", "mean", "intrinsic_dimension", "first", "last",
                                      "eigenvalue", "multiplicity", "power_law"])


def test_optimum(command):
    record = command("optimum", SIGN)
    best = rc.optimum(SIGN)
    check(best, record, ["step", "risk", "steps", "slope", "evaluations", "largest_stable_step", "stationary_risk"])
    for name, values in record["around"].items():
        assert same(best.neighbours[name], values), name
    assert best.warnings == record["warnings"]


@pytest.mark.parametrize("kind", ["power_decay", "cosine", "greedy", "optimal"])
def test_best_schedules(command, kind):
    record = command("optimum", SIGN, "--schedule", kind, "--points", 17)
    best = rc.optimum(SIGN, schedule=kind, points=17)
    found = record[kind]
    assert best.step == record["step"] and best.risk == found["risk"] and best.evaluations == found["evaluations"]
    if "at" in found["schedule"]:
        assert same(best.schedule.at, found["schedule"]["at"]) and same(best.schedule.step, found["schedule"]["step"])
    else:
        assert best.schedule.kind == kind and best.schedule.step == found["schedule"]["step"]


def test_reach(command):
    assert rc.optimum(SIGN, reach=0.3).steps == command("optimum", SIGN, "--reach", 0.3)["steps"]


def test_joint_optima(command, tmp_path):
    problem = rc.VectorProblem(rc.power_law(200, alpha=0.25), rc.power_law_target(0.2), rc.gaussian(0.1))
    rc.Experiment(problem, rc.SGD(momentum=0.5), 1e-3, steps=300).save(tmp_path / "x.toml")
    record = command("optimum", tmp_path / "x.toml", "--over", "step,momentum")
    best = rc.optimum(problem, rc.SGD(momentum=0.5), steps=300, over=["step", "momentum"])
    assert best.over.keys() == record["over"].keys()
    # The file's schedule is where the search starts, and here there is none.
    assert best.risk == pytest.approx(record["risk"], rel=1e-4)
    assert rc.optimum(tmp_path / "x.toml", over=["step", "momentum"]).over == record["over"]


@pytest.mark.parametrize("file", [SIGN, SVD], ids=["vector", "matrix"])
def test_coefficients(command, file):
    record = command("coefficients", file, "--modes")
    found = rc.coefficients(file)
    check(found, record, ["risk", "index", "h", "drift", "diffusion", "exponent", "squared_update", "rank", "drift_error"])
    check(found, record, [name for name in ("sigma", "alpha", "beta", "diagonal") if name in record and name != "diagonal"])
    for key, value in record["modes"].items():
        assert same(found.modes[key], value), key
    if "batches" in record:
        for key, value in record["batches"].items():
            assert same(found.batches[key], value), key
        assert same(found.lambda_, record["lambda"])
        for key, value in record["diagonal"].items():
            assert same(found.diagonal["lambda_" if key == "lambda" else key], value), key


def test_coefficients_of_any_signal(command):
    record = command("coefficients", SVD, "--signal", "full")
    found = rc.coefficients(SVD, signal="full")
    check(found, record, ["risk", "index", "h", "drift", "diffusion", "exponent", "squared_update"])
    assert found.trust.any_signal and found.warnings == record["warnings"]


def test_transfer(command, tmp_path):
    problem = rc.VectorProblem(rc.power_law(200, alpha=0.25), rc.power_law_target(0.2), rc.gaussian(0.5))
    experiment = rc.Experiment(problem, rc.SignSGD(batch=4), 1e-3, steps=400)
    experiment.save(tmp_path / "x.toml")
    record = command("transfer", tmp_path / "x.toml", "--tuned", 0.01)
    found = rc.transfer(experiment, tuned=0.01)
    check(found, record, ["value", "step", "risk"])
    assert found.quantity == record["quantity"] and found.warnings == record["warnings"]
    for name in ("from", "to", "step", "step_error", "risk", "risk_error"):
        assert same(found.exponents[name], record["exponents"][name]), name
    for name in ("step", "ratio", "risk", "start"):
        assert same(found.optimizers[name], record["optimizers"][name]), name
    assert found.optimizers["optimizer"] == record["optimizers"]["optimizer"]


def test_advise(command):
    record = command("advise", SVD)
    with pytest.warns(rc.TrustWarning) if record["warnings"] else contextlib.nullcontext():
        found = rc.advise(SVD)
    check(found, record, ["steps", "horizons", "risk_at"])
    for part in ("step", "schedule", "doubling", "optimizers"):
        for name, values in record[part].items():
            words = isinstance(values, str) or (isinstance(values, list) and values and isinstance(values[0], str))
            assert (getattr(found, part)[name] == values) if words else same(getattr(found, part)[name], values), name
    assert found.crossings == record["crossings"] and found.warnings == record["warnings"]
    assert str(found).startswith("The step\n") and found.page.startswith("<!DOCTYPE html>")
    assert {name: change["skipped"] for name, change in found.changes.items()} == {
        name: change["skipped"] for name, change in record["changes"].items()}


def test_sweep(command, tmp_path):
    rc.load(SIGN).save(tmp_path / "x.toml")
    grid = tmp_path / "grid.toml"
    grid.write_text('problem = "x.toml"\nfind = "step"\n[[vary]]\nfield = "optimizer.batch"\nvalues = [1, 4]\n'
                    '[[vary]]\nfield = "problem.noise.scale"\nvalues = [0.1, 0.2]\n')
    record = command("sweep", grid, "--out", tmp_path / "a.csv")
    for found in (rc.sweep(grid, out=tmp_path / "b.csv"), rc.sweep(grid), rc.sweep(
            rc.load(SIGN), {"optimizer.batch": [1, 4], "problem.noise.scale": [0.1, 0.2]}, find="step")):
        assert list(found) == list(record) and len(found) == 4
        assert all(same(found[name], record[name]) for name in ("optimizer.batch", "step", "risk", "slope"))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_phases(command):
    options = ["--points", 3, "--dimension", 1000, "--horizons", 10, 1000]
    record = command("phases", *options)
    found = rc.phases(points=3, dimension=1000, horizons=(10, 1000))
    assert same(found.horizons, record["horizons"]) and found.warnings == record["warnings"]
    for name, values in record["map"].items():
        assert list(found.table[name]) == values if name == "untrusted" else same(found.table[name], values), name
    assert found.phase.shape == (3, 3) and list(found.optimizers) == record["optimizers"]


def test_validate_runs_the_suites_cases():
    found = rc.validate(only="isotropic, Gaussian noise", threads=2)
    assert found.passed and "isotropic, Gaussian noise" in found.text


def test_fit(command):
    file = EXAMPLES / "fit" / "fit.toml"
    found, said = rc.fit(file), command("fit", file)
    assert found.parameters == said["parameters"] and found.best == said["best"]
    assert found.floor == pytest.approx(found.parameters["floor"])
    assert len(found.to_dataframe()) == len(found.parameters) and "best step" in found._repr_html_()
    with pytest.raises(rc.InputError):
        rc.fit(EXAMPLES / "sweep_grid.toml")
