"""Results are arrays of NumPy with shapes and types as documented; they draw, tabulate, pickle."""

import pickle

import matplotlib

matplotlib.use("Agg")
import numpy as np
import pytest

import riskcurve as rc


def test_arrays_are_doubles_of_the_documented_shapes(experiment):
    curve = rc.predict(experiment, bands=True, modes=True)
    for name in ("steps", "risk", "low", "high", "deviation", "shift"):
        values = getattr(curve, name)
        assert values.shape == (9,) and values.dtype == np.float64, name
    assert curve.population_risk is None  # Cauchy noise has no variance
    assert curve.modes.shape == (9, len(curve.mode_weight))
    assert curve.modes @ curve.mode_weight / 2 == pytest.approx(curve.risk)
    assert curve.risk[0] == pytest.approx(1) and (curve.low[1:] < curve.risk[1:]).all()
    assert set(curve.observables) == {"effective_learning_rate", "noise_compression", "preconditioning", "noise_reshaping"}
    runs = rc.simulate(experiment, runs=3)
    assert runs.risk_of_run.shape == (9, 3) and runs.mean == pytest.approx(runs.risk_of_run.mean(axis=1))


def test_results_own_their_numbers(experiment):
    risk = rc.predict(experiment).risk  # the result is gone
    rc.predict(experiment.replace(schedule=2e-3))
    assert np.array_equal(risk, rc.predict(experiment).risk)
    nodes = rc.power_law(50, alpha=0.5).nodes
    assert not nodes[0].flags.writeable and nodes[0][0] == 1


@pytest.mark.parametrize("make", [
    lambda e: rc.predict(e, bands=True), lambda e: rc.simulate(e, runs=2), lambda e: rc.compare(e, runs=2),
    lambda e: rc.optimum(e), lambda e: rc.optimum(e, schedule="optimal", points=9), lambda e: rc.coefficients(e),
    lambda e: rc.spectrum(rc.power_law(100, alpha=0.5)), lambda e: rc.transfer(e, quantities=["batch"]),
    lambda e: rc.phases(points=2, dimension=100, horizons=(10, 100)),
    lambda e: rc.sweep(e, {"optimizer.batch": [1, 4]}), lambda e: rc.advise(e.replace(steps=200)),
], ids=["predict", "simulate", "compare", "optimum", "schedule", "coefficients", "spectrum", "transfer", "phases", "sweep", "advise"])
def test_results_draw_tabulate_and_pickle(experiment, make):
    pandas = pytest.importorskip("pandas")
    result = make(experiment)
    frame = result.to_dataframe()
    assert isinstance(frame, pandas.DataFrame) and len(frame) > 0
    html = result._repr_html_()
    assert "<table>" in html and result.title.split(",")[0] in html
    assert html.count("<tr>") <= 13
    again = pickle.loads(pickle.dumps(result))
    assert type(again) is type(result) and repr(again) == repr(result)
    assert again.to_dataframe().equals(frame)
    if hasattr(type(result), "plot"):
        axes = result.plot()
        assert axes.get_xlabel() and axes.get_title()
        figure, given = matplotlib.pyplot.subplots()
        assert result.plot(given) is given
        figure.canvas.draw()
        matplotlib.pyplot.close("all")


def test_experiments_and_problems_pickle(experiment, matrix):
    assert pickle.loads(pickle.dumps(experiment)) == experiment
    assert pickle.loads(pickle.dumps(matrix)) == matrix
    rows = rc.covariance(np.random.default_rng(0).normal(size=(50, 8)))
    assert pickle.loads(pickle.dumps(rows)) == rows


def test_problem_files_come_back_equal(experiment, matrix, tmp_path):
    for made in (experiment, rc.Experiment(matrix, rc.Muon(batch=8), rc.wsd(1e-2), steps=50, spacing="log", points=5)):
        assert rc.parse(made.to_toml()) == made
        made.save(tmp_path / "x.toml")
        loaded = rc.load(tmp_path / "x.toml")
        assert loaded == made and loaded.to_toml() == made.to_toml() and repr(loaded) == repr(made)
        assert rc.Experiment(loaded.problem, loaded.optimizer, loaded.schedule, loaded.steps, at=loaded.at) == made


def test_parts_of_an_experiment_are_replaced(experiment):
    longer = experiment.replace(steps=4000)
    assert longer.steps == 4000 and longer.at[-1] == 4000 and len(longer.at) == 9
    other = rc.predict(experiment, rc.SignSGD(batch=8), at=[0, 10])
    assert other.steps.tolist() == [0, 10] and other.experiment.optimizer.batch == 8
    assert experiment.replace(schedule=rc.cosine(1e-3)).schedule == rc.cosine(1e-3)
    with pytest.raises(AttributeError, match="there are: "):
        rc.predict(experiment).rsik


def test_an_optimum_is_where_its_neighbours_say(experiment):
    best = rc.optimum(experiment)
    assert best.risk == pytest.approx(best.neighbours["risk"].min(), rel=1e-9) and best.schedule == rc.constant(best.step)
    assert rc.predict(experiment, schedule=best.schedule).risk[-1] == pytest.approx(best.risk, rel=1e-6)
    for factor in (0.9, 1.1):
        assert rc.predict(experiment, schedule=factor * best.step).risk[-1] > best.risk
    better = rc.optimum(experiment, schedule="optimal", points=33)
    assert better.risk < best.risk and better.constant["risk"] == best.risk
    assert rc.predict(experiment, schedule=better.schedule).risk[-1] == pytest.approx(better.risk, rel=1e-3)


def test_shapes_of_schedules_are_compared_at_their_best_peaks():
    problem = rc.VectorProblem(rc.power_law(100, alpha=0.3), rc.power_law_target(beta=0.2), rc.gaussian(0.3))
    found = rc.optimum(problem, rc.SGD(), steps=3000, schedule="all")
    of = dict(zip(found.shape, zip(found.step, found.risk)))
    assert found.risk.min() == of["optimal"][1] and "linear" in found._repr_html_()
    peak, risk = of["linear"]
    assert rc.predict(problem, rc.SGD(), rc.linear(peak, horizon=3000), steps=3000).risk[-1] == pytest.approx(risk, rel=1e-6)
    assert of["constant"][1] == rc.optimum(problem, rc.SGD(), steps=3000).risk


def test_a_budget_has_a_best_batch_and_a_risk_a_critical_one():
    problem = rc.VectorProblem(rc.power_law(100, alpha=0.3), rc.power_law_target(beta=0.2), rc.gaussian(0.3))
    found = rc.optimum(problem, rc.SignSGD(batch=3), samples=3000, signal="small")
    assert found.steps == 3000 // found.batch and found.risk <= found.batches["risk"].min()
    again = rc.optimum(problem, rc.SignSGD(batch=found.batch), steps=found.steps, over=["step"], signal="small")
    assert again.risk == pytest.approx(found.risk, rel=1e-6)
    assert rc.predict(found.experiment, rtol=1e-10, method="recursion").risk[-1] == pytest.approx(found.risk)
    assert "batch" in found._repr_html_() and pickle.loads(pickle.dumps(found)).batch == found.batch
    critical = rc.critical_batch(problem, rc.SGD(), 0.05)
    assert critical.saving[0] > 0.5 > critical.saving[-1] and 1 < critical.critical_batch < 1e4
    with pytest.raises(rc.InputError, match="without reach"):
        rc.optimum(problem, rc.SGD(), samples=100, reach=0.1)


def test_a_batch_ramp_is_as_good_as_the_best_schedule_of_single_samples():
    problem = rc.VectorProblem(rc.power_law(100, alpha=0.3), rc.power_law_target(beta=0.2), rc.gaussian(0.3))
    ramp = rc.batch_ramp(problem, rc.SGD(batch=7), samples=1e4, steps=400)
    best = rc.optimum(problem, rc.SGD(), steps=1e4, schedule="optimal", rtol=1e-8)
    assert ramp.risk == pytest.approx(best.risk, rel=1e-6) and ramp.constant_risk == pytest.approx(best.constant["risk"], rel=1e-6)
    assert ramp.at[-1] == pytest.approx(400) and ramp.batch.min() >= 1 and "batch" in ramp._repr_html_()
    with pytest.raises(rc.InputError, match="at most"):
        rc.batch_ramp(problem, rc.SGD(), samples=1e4, steps=1e4)
    with pytest.raises(rc.InputError, match="drift"):
        rc.batch_ramp(problem, rc.SignSGD(), samples=1e4, steps=100)


def test_numbers_of_an_optimizers_own_are_searched_for():
    problem = rc.VectorProblem(rc.power_law(100, alpha=0.6), rc.power_law_target(beta=0.2), rc.student_t(nu=1, scale=0.2))
    found = rc.optimum(problem, rc.ClippedSGD(batch=2, threshold=5), steps=300, over=["step", "threshold"])
    fixed = rc.optimum(problem, rc.ClippedSGD(batch=2, threshold=found.over["threshold"]), steps=300)
    assert fixed.step == pytest.approx(found.over["step"], rel=0.05)
    with pytest.raises(rc.InputError, match="threshold"):
        rc.optimum(problem, rc.ClippedSGD(batch=2, threshold=5), steps=300, over=["beta1"])
