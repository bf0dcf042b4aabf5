"""Real things in: samples, torch's optimizers, laws, schedules and mode systems of one's own."""

import math
import pickle

import numpy as np
import pytest

import riskcurve as rc

rng = np.random.default_rng(3)


def test_a_covariance_of_samples_is_theirs():
    X = rng.normal(size=(200, 20)) * np.arange(1, 21) ** -0.5
    K = rc.covariance(X)
    centred = X - X.mean(axis=0)
    assert K.dimension == 20 and K.matrix == pytest.approx(centred.T @ centred / 200)
    assert K.eigenvalues() == pytest.approx(np.linalg.eigvalsh(centred.T @ centred / 200)[::-1])
    assert rc.covariance(X, center=False, scale=2).trace == pytest.approx(4 * np.sum(X**2) / 200)

def test_labels_fitted_to_samples_are_fitted_as_to_their_file(tmp_path):
    X = rng.normal(size=(300, 8)) + 2
    labels = tmp_path / "labels.csv"
    np.savetxt(labels, X @ np.arange(8) + rng.normal(size=300) + 5)
    np.save(tmp_path / "x.npy", X)
    held = rc.VectorProblem(rc.covariance(X), rc.fit_target(labels))
    of_file = rc.VectorProblem(rc.data(tmp_path / "x.npy"), rc.fit_target(labels))
    again = pickle.loads(pickle.dumps(held))
    assert held.noise.variance == pytest.approx(of_file.noise.variance, rel=1e-9)
    assert held.noise.variance < 2
    assert held.initial == pytest.approx(of_file.initial)
    assert again.covariance == held.covariance
    assert rc.VectorProblem(again.covariance, rc.fit_target(labels)).noise.variance == pytest.approx(held.noise.variance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8, np.float16])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_of_any_type_and_order(dtype, order):
    X = np.asarray(rng.integers(0, 100, size=(60, 7)), dtype=dtype, order=order)
    assert rc.covariance(X) == rc.covariance(X.astype(float))
    assert rc.covariance(X[::2, 1:]).trace == rc.covariance(np.ascontiguousarray(X[::2, 1:], dtype=float)).trace


def test_memory_mapped_samples(tmp_path):
    X = rng.normal(size=(500, 12)).astype(np.float32)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert rc.covariance(mapped) == rc.covariance(X)
    assert rc.covariance(mapped, sample="gaussian").eigenvalues() == pytest.approx(rc.covariance(X).eigenvalues())


def test_large_samples_take_the_krylov_path():
    X = rng.normal(size=(300, 400))
    K = rc.covariance(X, dense_limit=200)
    assert "Krylov" in K.remark and K.orientation == "generic"
    assert K.trace == pytest.approx(rc.covariance(X).trace) and K.norm == pytest.approx(rc.covariance(X).norm)


def test_a_tensor_of_torch_is_read_through_its_numpy():
    class Tensor:
        def __init__(self, array):
            self.array = array

        def detach(self):
            return self

        def cpu(self):
            return self

        def numpy(self):
            return self.array

    X = rng.normal(size=(30, 4))
    assert rc.covariance(Tensor(X)) == rc.covariance(X)


def test_runs_draw_the_rows_of_samples():
    X = rng.standard_t(5, size=(400, 60))
    problem = rc.VectorProblem(rc.covariance(X), rc.isotropic_target(), rc.gaussian(0.1))
    found = rc.compare(problem, rc.SGD(batch=8), 2e-3, steps=200, runs=8)
    assert found.worst_in_percent < 15


def torch_optimizer(name, *groups):
    return type(name, (), {"param_groups": [{"params": [], **group} for group in groups]})()


SGD = dict(lr=0.1, momentum=0.9, dampening=0, weight_decay=1e-4, nesterov=True, maximize=False, foreach=None)
ADAM = dict(lr=1e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0, amsgrad=False, maximize=False)


@pytest.mark.parametrize("name, group, optimizer, schedule", [
    ("SGD", SGD, rc.SGD(batch=4, momentum=0.9, nesterov=True, l2=1e-4), rc.constant(0.1)),
    ("Adam", ADAM, rc.Adam(batch=4, betas=(0.9, 0.95), eps=1e-8), rc.constant(1e-3)),
    ("AdamW", {**ADAM, "weight_decay": 0.01}, rc.Adam(batch=4, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.01), rc.constant(1e-3)),
    ("NAdam", dict(lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=0.004),
     rc.Adam(batch=4, betas=(0.9, 0.999), eps=1e-8, nesterov=True), rc.constant(2e-3)),
    ("RMSprop", dict(lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False),
     rc.RMSprop(batch=4, alpha=0.99, eps=1e-8), rc.constant(1e-2)),
    ("Adagrad", dict(lr=1e-2, lr_decay=0.1, eps=1e-10, weight_decay=0, initial_accumulator_value=0),
     rc.AdaGrad(batch=4, eps=1e-10), rc.power_decay(1e-2, 1, 10)),
])
def test_optimizers_of_torch(name, group, optimizer, schedule):
    assert rc.from_torch(torch_optimizer(name, group, group), batch=4) == (optimizer, schedule)


@pytest.mark.parametrize("name, groups, field", [
    ("LBFGS", [SGD], "optimizer"), ("Adam", [{**ADAM, "weight_decay": 0.1}], "Adam.weight_decay"),
    ("Adam", [{**ADAM, "amsgrad": True}], "Adam.amsgrad"), ("SGD", [{**SGD, "maximize": True}], "SGD.maximize"),
    ("SGD", [SGD, {**SGD, "lr": 1}], "SGD.lr"),
    ("RMSprop", [dict(lr=1, alpha=0.9, eps=1e-8, momentum=0.5, centered=False, weight_decay=0)], "RMSprop.momentum"),
])
def test_what_the_library_does_not_have_is_refused(name, groups, field):
    with pytest.raises(rc.InputError) as caught:
        rc.from_torch(torch_optimizer(name, *groups))
    assert caught.value.field == field


def test_a_decaying_step_of_adagrad_is_torchs():
    lr, decay = 1e-2, 0.1
    _, schedule = rc.from_torch(torch_optimizer("Adagrad", dict(
        lr=lr, lr_decay=decay, eps=1e-10, weight_decay=0, initial_accumulator_value=0)))
    assert schedule(np.arange(5.0)) == pytest.approx([lr / (1 + k * decay) for k in range(5)])


class Laplace:
    """The library's own law, written as a stranger would."""

    def __init__(self, scale):
        self.scale = scale

    def pdf(self, x):
        return math.exp(-abs(x) / self.scale) / (2 * self.scale)

    def sf(self, x):
        return math.exp(-x / self.scale) / 2 if x > 0 else 1 - math.exp(x / self.scale) / 2

    def ppf(self, p):
        return -self.scale * math.log(2 * (1 - p)) if p > 0.5 else self.scale * math.log(2 * p)

    def var(self):
        return 2 * self.scale**2


def test_a_noise_law_of_ones_own_is_the_librarys_where_it_is_the_same():
    ours, theirs = (rc.VectorProblem(rc.power_law(100, alpha=0.25), rc.power_law_target(0.2), noise)
                    for noise in (rc.custom_noise(Laplace(0.3)), rc.laplace(0.3)))
    a, b = (rc.predict(problem, rc.SignSGD(batch=1), 1e-3, steps=500, points=5) for problem in (ours, theirs))
    assert a.risk == pytest.approx(b.risk, rel=1e-7) and a.noise_variance == pytest.approx(0.18)
    assert a.population_risk == pytest.approx(a.risk + 0.09)
    runs = rc.simulate(ours, rc.SignSGD(batch=1), 1e-3, steps=500, points=5, runs=8, threads=2)
    assert np.array_equal(runs.risk_of_run, rc.simulate(ours, rc.SignSGD(batch=1), 1e-3, steps=500, points=5, runs=8, threads=1).risk_of_run)
    assert abs(runs.mean[-1] - a.risk[-1]) < 6 * runs.standard_error[-1] + 0.05 * a.risk[-1]
    assert ours == rc.VectorProblem(ours.covariance, ours.target, ours.noise) and ours != theirs
    with pytest.raises(rc.InputError, match="problem.noise.kind"):
        rc.Experiment(ours, rc.SignSGD(), 1e-3, steps=5).to_toml()


def test_frozen_laws_of_scipy_serve():
    stats = pytest.importorskip("scipy.stats")
    law = rc.ResidualLaw(rc.custom_noise(stats.norm(scale=0.4)))
    own = rc.ResidualLaw(rc.gaussian(0.4))
    assert law.phi([0.5, 0.1], 2) == pytest.approx(own.phi([0.5, 0.1], 2), rel=1e-7)


def test_a_schedule_of_ones_own_is_the_librarys_where_it_is_the_same(problem):
    ours = rc.predict(problem, rc.SignSGD(batch=4), lambda k: 1e-3 * (1 + k / 100) ** -0.5, steps=1000)
    theirs = rc.predict(problem, rc.SignSGD(batch=4), rc.power_decay(1e-3, 0.5, 100), steps=1000)
    assert ours.risk == pytest.approx(theirs.risk, rel=1e-9)
    broken = rc.custom(lambda k: 1e-3 if k < 300 else 1e-4, breaks=[300])
    theirs = rc.predict(problem, rc.SignSGD(batch=4), rc.piecewise([0, 300], [1e-3, 1e-4]), steps=1000)
    assert rc.predict(problem, rc.SignSGD(batch=4), broken, steps=1000).risk == pytest.approx(theirs.risk, rel=1e-9)
    with pytest.raises(rc.InputError, match="schedule.kind"):
        rc.Experiment(problem, rc.SignSGD(), broken, steps=5).to_toml()
    momentum = rc.predict(rc.VectorProblem(problem.covariance, problem.target), rc.SGD(momentum=lambda k: 0.5), 1e-3, steps=50)
    plain = rc.predict(rc.VectorProblem(problem.covariance, problem.target), rc.SGD(momentum=0.5), 1e-3, steps=50)
    assert momentum.risk == pytest.approx(plain.risk, rel=1e-9)


def test_a_mode_system_filled_by_hand_is_the_librarys_where_it_is_the_same():
    problem = rc.VectorProblem(rc.power_law(200, alpha=0.25), rc.power_law_target(0.2), rc.gaussian(0.5))
    theirs = rc.mode_system(rc.Experiment(problem, rc.SGD(batch=2), 1e-3, steps=100))
    lam = problem.covariance.nodes[0]
    count = problem.covariance.nodes[1]
    ours = rc.ModeSystem(weight=lam, drift=lam, diffusion=lam * count, initial=problem.initial, multiplicity=count,
                         noise_variance=0.25, response=lambda t, gamma, risk: (1.0, (2 * risk + 0.25) / 2))
    for a, b in zip(ours.rates(0.3), theirs.rates(0.3)):
        assert a == pytest.approx(b)
    a, b = (rc.solve(system, 2e-3, steps=1000) for system in (ours, theirs))
    assert a.risk == pytest.approx(b.risk, rel=1e-9) and a.population_risk == pytest.approx(a.risk + 0.125)
    assert rc.optimum(ours, steps=1000).step == pytest.approx(rc.optimum(theirs, steps=1000).step, rel=1e-5)
    assert ours.stationary_risk(2e-3) == pytest.approx(theirs.stationary_risk(2e-3), rel=1e-6)
    with pytest.raises(rc.InputError, match="response"):
        rc.ModeSystem(lam, lam, lam, lam, response=3)
    with pytest.raises(rc.InputError):
        rc.ModeSystem(lam, lam[1:], lam, lam, response=lambda *now: (1, 1))


def test_sensitivities_are_derivatives(experiment):
    system = rc.mode_system(experiment)
    found = rc.sensitivity(system, 1e-3, 500)
    up, down = (rc.solve(system, 1e-3 * f, at=[500]).risk[0] for f in (1.001, 0.999))
    assert np.sum(found.weight * found.gradient) == pytest.approx((up - down) / 2e-6, rel=1e-4)


def test_laws_and_fits():
    law = rc.ResidualLaw(rc.student_t(1, 0.2))
    assert law.noise_variance == math.inf and not law.gaussian
    assert law.phi(0.5, 1) == law.phi(np.array([0.5]), 1)[0]
    assert 0 < law.within(0.5, 1.0) < 1 and law.clipping(0.5, 1.0)["reduction"] == law.within(0.5, 1.0)
    assert 0 < law.optimal_threshold(0.5) < math.inf
    fit = rc.fit_exponent([1, 2, 4], [3, 12, 48])
    assert fit.value == pytest.approx(2) and fit.prefactor == pytest.approx(3)
    assert rc.power_sum(1, 4, 1) == pytest.approx(25 / 12) and rc.chi_mean(1) == pytest.approx(math.sqrt(2 / math.pi))
    assert rc.derived_exponent(rc.SignSVD(), 1.0, 0.5) == pytest.approx(2) and rc.derived_exponent(rc.SGD(), 1.0, 0.5) is None
    alpha, beta = rc.phase_border(rc.SignSGD(), rc.SignSVD(), (0.2, 1.5), (0, 1.5), "two")
    assert alpha.shape == beta.shape


def test_torchs_own_objects_are_read():
    torch = pytest.importorskip("torch")
    weights = [torch.nn.Parameter(torch.zeros(3))]
    optim = torch.optim
    read = {
        "SGD": rc.from_torch(optim.SGD(weights, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)),
        "Adam": rc.from_torch(optim.Adam(weights, lr=1e-3)),
        "AdamW": rc.from_torch(optim.AdamW(weights, lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)),
        "NAdam": rc.from_torch(optim.NAdam(weights)),
        "RMSprop": rc.from_torch(optim.RMSprop(weights)),
        "Adagrad": rc.from_torch(optim.Adagrad(weights, lr_decay=0.5)),
    }
    assert read["SGD"] == (rc.SGD(batch=1, momentum=0.9, nesterov=True, l2=1e-4), rc.constant(0.1))
    assert read["AdamW"][0] == rc.Adam(batch=1, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
    assert read["NAdam"][0].nesterov and read["RMSprop"][0].alpha == 0.99 and read["Adagrad"][1].delay == 2
    problem = rc.VectorProblem(rc.power_law(500, alpha=0.25), rc.power_law_target(0.2), rc.gaussian(0.1))
    for name, (optimizer, schedule) in read.items():
        assert rc.predict(problem, optimizer, schedule.replace(step=1e-3), steps=20, points=2).status == "ok", name
    for other in (optim.LBFGS(weights), optim.Adam(weights, amsgrad=True), optim.Adam(weights, weight_decay=0.1),
                  optim.RMSprop(weights, momentum=0.5), optim.Adadelta(weights)):
        with pytest.raises(rc.InputError):
            rc.from_torch(other)
    X = rng.normal(size=(50, 6)).astype(np.float32)
    assert rc.covariance(torch.tensor(X, requires_grad=True)) == rc.covariance(X)
