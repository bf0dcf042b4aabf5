"""What is made from the registries of the library has its names, keys, defaults and checks."""

import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest

import riskcurve as rc
from riskcurve._tables import catalogue, function_name, optimizer_classes, python_key


def test_every_optimizer_of_the_registry_is_a_class():
    assert len(optimizer_classes) == len(catalogue["optimizer"]) >= 15
    for kind, made in optimizer_classes.items():
        assert getattr(rc, made.__name__) is made and issubclass(made, rc.Optimizer)
        assert made.kind == kind


def test_names_have_the_capitals_of_their_titles():
    assert {"SGD", "SignSGD", "ClippedSGD", "PreconditionedSGD", "SignSVD", "Adam", "RMSprop", "AdaGrad", "Lion",
            "Muon", "Schatten", "RegularizedSVD", "Truncated", "MixedSVD", "Kaon"} <= set(dir(rc))


@pytest.mark.parametrize("registry", ["covariance", "noise", "target", "schedule"])
def test_every_kind_of_a_registry_has_its_function(registry):
    for table in catalogue[registry]:
        if table["kind"] == "custom":
            continue
        function = getattr(rc, function_name(registry, table["kind"]))
        names = set(inspect.signature(function).parameters)
        assert {python_key(line["key"]) for line in table["keys"]} <= names


def test_defaults_are_those_of_the_library():
    muon = inspect.signature(rc.Muon).parameters
    assert muon["momentum"].default == 0.95 and muon["nesterov"].default is True and muon["ns_steps"].default == 5
    assert muon["weight_decay"].default == 0.1 and inspect.signature(rc.Adam).parameters["weight_decay"].default is None
    assert rc.Adam().betas == (0.9, 0.999) and rc.Lion().betas == (0.9, 0.99) and rc.SGD().batch == 1


def test_optimizers_at_their_defaults_are_those_of_a_bare_problem_file(problem, matrix):
    head = rc.Experiment(problem, rc.SGD(), 1e-3, 10).to_toml().split("[optimizer]")[0]
    head = head.replace("student_t", "gaussian").replace("nu = 1, scale", "std")
    of_matrix = rc.Experiment(matrix, rc.SignSVD(), 1e-3, 10).to_toml().split("[optimizer]")[0]
    for kind, made in optimizer_classes.items():
        if any(line["required"] for table in catalogue["optimizer"] if table["kind"] == kind for line in table["keys"]):
            continue
        table = head if kind in catalogue["of_a_vector"] else of_matrix
        bare = rc.parse(table + f'[optimizer]\nname = "{kind}"\n[schedule]\nkind = "constant"\nstep = 0.001\n[run]\nsteps = 10\n')
        ours = rc.Experiment(bare.problem, made(), 1e-3, steps=10)
        assert ours == bare, kind
        assert bare.optimizer == made(), kind


def test_values_are_attributes_and_reprs_read_back():
    adam = rc.Adam(betas=(0.9, 0.95), batch=4, weight_decay=0.1)
    assert (adam.betas, adam.batch, adam.eps, adam.weight_decay, adam.name) == ((0.9, 0.95), 4, 1e-8, 0.1, "adam")
    for table in (adam, rc.cosine(1e-3, warmup=100), rc.power_law(2000, alpha=0.25), rc.student_t(1, 0.2),
                  rc.power_law_target(beta=0.2), rc.piecewise([0, 10], [1e-3, 1e-4])):
        assert eval(f"rc.{table!r}") == table  # noqa: S307
    assert adam.replace(batch=8) == rc.Adam(betas=(0.9, 0.95), batch=8, weight_decay=0.1)
    with pytest.raises(AttributeError):
        adam.batch = 3
    with pytest.raises(AttributeError, match="no key"):
        adam.threshold


def test_tables_that_stand_around_an_update_nest(problem):
    chained = rc.SGD(batch=2, momentum=rc.linear(0.5, 0.9), average=rc.ema_average(decay=0.99))
    experiment = rc.Experiment(problem.__class__(problem.covariance, problem.target), chained, 1e-3, steps=100)
    text = experiment.to_toml()
    assert 'average = { kind = "ema", decay = 0.99 }' in text and "horizon = 100" in text
    again = rc.parse(text)
    assert again == experiment and again.optimizer.average == rc.ema_average(decay=0.99)
    ahead = rc.SGD(lookahead=rc.lookahead(sync_period=5))
    assert rc.Experiment(experiment.problem, ahead, 1e-3, 10).to_toml().count("sync_period = 5") == 1


def test_a_batch_may_be_a_schedule(problem):
    growing = rc.Experiment(problem, rc.SignSGD(batch=rc.linear(1, 16)), 1e-3, steps=100)
    assert 'batch = { kind = "linear"' in growing.to_toml()
    assert rc.parse(growing.to_toml()) == growing


def test_schedules_are_functions_of_the_step():
    warm = rc.cosine(1e-3, warmup=10)
    assert warm(0, steps=100) == pytest.approx(1e-4, rel=1e-12)
    values = warm(np.array([0, 9, 100.0]), steps=100)
    assert values.shape == (3,) and values[2] == 0
    assert rc.wsd(1.0, decay=0.5)(75, steps=100) == pytest.approx(0.5)
    assert rc.constant(scaled_step=2.0)(0, dimension=500) == 2 / 500
    assert rc.piecewise(from_=[0, 10], step=[1.0, 2.0])(10) == 2


def test_scaled_steps_are_divided_by_the_dimension(problem):
    scaled = rc.Experiment(problem, rc.SignSGD(), rc.cosine(scaled_step=0.5), steps=100)
    assert "scaled_step = 0.5" in scaled.to_toml() and rc.parse(scaled.to_toml()) == scaled
    assert rc.parse(scaled.to_toml()).schedule == rc.cosine(scaled_step=0.5, horizon=100)


def test_tabulated_schedules_are_read_from_what_the_command_writes(tmp_path):
    path = tmp_path / "best.csv"
    path.write_text("at,step\n0,0.001\n10,0.002\n")
    assert rc.tabulated(file=path) == rc.tabulated([0, 10], [0.001, 0.002])


def test_help_is_enough_to_use_it():
    text = subprocess.run([sys.executable, "-c", "import riskcurve as rc; help(rc.predict); help(rc.Adam); help(rc.cosine)"],
                          capture_output=True, text=True, check=True).stdout
    assert "InputError" in text and "shape (times)" in text and "arXiv" in text
    assert "m <- beta_1 m + (1 - beta_1) G" in text and "betas : two floats, default (0.9, 0.999)" in text
    assert "final_step + (step - final_step)(1 + cos(pi min(k/horizon, 1)))/2" in text


def test_every_name_has_a_docstring():
    for name in rc.__all__:
        thing = getattr(rc, name)
        if callable(thing) and name != "Progress":
            assert (thing.__doc__ or "").strip(), name


@pytest.mark.parametrize("table", [
    rc.Muon(batch=16, ns_steps=3), rc.SGD(momentum=rc.linear(0.5, 0.9), lookahead=rc.lookahead(sync_period=4)),
    rc.wsd(1e-3, warmup=5), rc.spiked(100, spikes=[9.0, 4.0]), rc.power_law_target(0.3, sides="both"),
    rc.mixture([(0.9, rc.gaussian(0.1)), (0.1, rc.student_t(1, 1.0))]), rc.uniform_average(start=5),
])
def test_tables_survive_pickling(table):
    assert pickle.loads(pickle.dumps(table)) == table
