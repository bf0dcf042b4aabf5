"""Bad input says which field, its value, and what was expected; doubts are warnings."""

import pickle
import warnings

import numpy as np
import pytest

import riskcurve as rc


@pytest.mark.parametrize("make, field, value, expected", [
    (lambda: rc.SGD(batch=0), "optimizer.batch", "0", "a whole number >= 1"),
    (lambda: rc.SGD(batch=2.5), "optimizer.batch", "2.5", "a whole number >= 1"),
    (lambda: rc.Adam(betas=(0.9, 1.0)), "optimizer.betas[1]", "1", "a number >= 0 and < 1"),
    (lambda: rc.Adam(betas=0.9), "optimizer.betas", "0.9", "two numbers"),
    (lambda: rc.Adam(eps="small"), "optimizer.eps", '"small"', "a number >= 0"),
    (lambda: rc.Adam(nesterov=1), "optimizer.nesterov", "1", "True or False"),
    (lambda: rc.ClippedSGD(threshold=1.0, clip="all"), "optimizer.clip", '"all"', 'one of "sample", "batch"'),
    (lambda: rc.ClippedSGD(threshold=-1.0), "optimizer.threshold", "-1", "a number > 0"),
    (lambda: rc.power_law(0, alpha=1), "covariance.dimension", "0", "a whole number >= 1"),
    (lambda: rc.power_law(10, alpha=float("nan")), "covariance.alpha", "nan", "a number >= 0"),
    (lambda: rc.power_law(10, alpha=1, orientation="up"), "covariance.orientation", '"up"', "generic"),
    (lambda: rc.eigenvalues([1.0, -2.0]), "covariance.values", "-2", "not negative"),
    (lambda: rc.matrix(entries=[[1, 2], [0, 1]]), "covariance", "", ""),
    (lambda: rc.student_t(nu=0, scale=1), "noise.nu", "0", "a number >= 0.1"),
    (lambda: rc.cosine(-1), "schedule.step", "-1", "a number > 0"),
    (lambda: rc.cosine(), "schedule.step", "(missing)", "a number > 0"),
    (lambda: rc.cosine(scaled_step=-1), "schedule.scaled_step", "-1", "a number > 0"),
    (lambda: rc.tabulated([0, 5, 5], [1, 2, 3]), "schedule.at[2]", "5", ""),
    (lambda: rc.isotropic_target(risk=-1), "target.risk", "-1", "a number >= 0"),
    (lambda: rc.covariance(np.zeros(3)), "covariance.X", "float64 of shape (3,)", "(n, d)"),
    (lambda: rc.covariance(np.ones((4, 3))), "covariance.data", "sum of squares 0", "columns that vary"),
    (lambda: rc.covariance(np.full((4, 3), np.nan)), "covariance.data", "nan", "finite"),
    (lambda: rc.VectorProblem(3, rc.isotropic_target()), "problem.covariance", "3", "a covariance"),
    (lambda: rc.custom_noise(3), "noise.pdf", "(missing)", "pdf"),
])
def test_the_field_is_named_with_value_and_expectation(make, field, value, expected):
    with pytest.raises(rc.InputError) as caught:
        make()
    error = caught.value
    assert isinstance(error, ValueError)
    assert error.field.startswith(field) and value in error.value and expected in error.expected
    assert "\n" not in str(error) and error.field in str(error) and error.expected in str(error)


def test_missing_and_unknown_arguments_are_pythons_own_errors():
    with pytest.raises(TypeError, match="exponent"):
        rc.Schatten(batch=3)
    with pytest.raises(TypeError, match="learning_rate"):
        rc.SGD(learning_rate=1)


def test_experiments_name_fields_as_problem_files_do(problem):
    cases = [
        (dict(optimizer=rc.SGD(), schedule=1e-3, steps=10), "problem.noise"),
        (dict(optimizer=rc.SignSVD(), schedule=1e-3, steps=10), "optimizer.name"),
        (dict(optimizer=rc.SignSGD(), schedule=1e-3), "run.steps"),
        (dict(optimizer=rc.SignSGD(), schedule=1e-3, steps=0), "run.steps"),
        (dict(optimizer=rc.SignSGD(), schedule=1e-3, steps=10, at=[0, 3, 3]), "run.at[2]"),
        (dict(optimizer=rc.SignSGD(), schedule=1e-3, steps=10, at=[0], points=3), "run.points"),
        (dict(optimizer=rc.SignSGD(), schedule=-1e-3, steps=10), "schedule"),
        (dict(optimizer=rc.SignSGD(), schedule="fast", steps=10), "schedule"),
        (dict(optimizer=rc.SignSGD(), steps=10), "schedule"),
        (dict(optimizer="sgd", schedule=1e-3, steps=10), "optimizer"),
        (dict(schedule=1e-3, steps=10), "optimizer"),
        (dict(optimizer=rc.SignSGD(), schedule=1e-3, steps=10, method="euler"), "method"),
        (dict(optimizer=rc.SignSGD(), schedule=1e-3, steps=10, rtol=2), "rtol"),
        (dict(optimizer=rc.SignSGD(), schedule=1e-3, steps=10, signal="big"), "run.signal"),
    ]
    for arguments, field in cases:
        with pytest.raises(rc.InputError) as caught:
            rc.predict(problem, **arguments)
        assert caught.value.field.startswith(field) or caught.value.field in field, (arguments, str(caught.value))


def test_problem_files_name_their_keys(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text("[problem]\ncovariance = { kind = 'power_law', dimension = 10, alpha = -1 }\n")
    with pytest.raises(rc.InputError):
        rc.load(path)
    with pytest.raises(rc.InputError, match="x.toml"):
        path.write_text("[problem\n")
        rc.load(path)
    with pytest.raises(rc.InputError):
        rc.load(tmp_path / "missing.toml")


def test_errors_of_the_library_survive_pickling():
    with pytest.raises(rc.InputError) as caught:
        rc.SGD(batch=0)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.field, again.value, again.expected) == (
        str(caught.value), caught.value.field, caught.value.value, caught.value.expected)


def test_doubts_are_trust_warnings():
    small = rc.VectorProblem(rc.isotropic(5), rc.isotropic_target(), rc.gaussian(0.1))
    with pytest.warns(rc.TrustWarning, match="intrinsic dimension") as seen:
        curve = rc.predict(small, rc.SGD(), 1e-3, steps=10)
    assert [str(w.message) for w in seen] == curve.warnings
    assert not curve.trust and "intrinsic_dimension" in curve.trust.untrusted
    assert seen[0].filename == __file__


def test_what_is_trusted_warns_of_nothing(problem):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rc.predict(problem, rc.SignSGD(batch=4), 1e-3, steps=100).trust


def test_a_risk_that_diverges_is_no_error():
    unstable = rc.VectorProblem(rc.power_law(200, alpha=0.25), rc.isotropic_target(), rc.gaussian(1.0))
    with pytest.warns(rc.TrustWarning, match="diverge"):
        curve = rc.predict(unstable, rc.SGD(), 1.0, steps=10000, method="exponential")
    assert curve.status == "diverged" and len(curve.risk) < 51 and "diverged" in repr(curve)
