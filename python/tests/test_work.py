"""The lock is released while the library works; Ctrl-C, exceptions and False stop it; numbers do not depend on threads."""

import concurrent.futures
import signal
import threading
import time

import numpy as np
import pytest

import riskcurve as rc


@pytest.fixture
def long_runs(problem):
    """Minutes of work."""
    return dict(problem=problem, optimizer=rc.SignSGD(batch=4), schedule=1e-4, steps=1000000, runs=1000)


def test_other_threads_go_on_while_it_works(experiment):
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.001):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    begun = time.monotonic()
    rc.simulate(experiment, runs=8)
    spent = time.monotonic() - begun
    done.set()
    thread.join()
    assert spent > 0.05 and len(ticks) > 5


def test_threads_may_share_an_experiment(experiment):
    alone = rc.predict(experiment).risk
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for curve in pool.map(lambda _: rc.predict(experiment), range(8)):
            assert np.array_equal(curve.risk, alone)


def test_runs_do_not_depend_on_threads(experiment):
    one, four = (rc.simulate(experiment, runs=4, threads=n).risk_of_run for n in (1, 4))
    assert np.array_equal(one, four)
    assert not np.array_equal(one, rc.simulate(experiment, runs=4, seed=2).risk_of_run)


CODE = """
import riskcurve as rc, sys, time
problem = rc.VectorProblem(rc.power_law(2000, alpha=0.25), rc.power_law_target(beta=0.2), rc.student_t(nu=1, scale=0.2))
print("begun", flush=True)
try:
    {work}
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("work", [
    "rc.simulate(problem, rc.SignSGD(batch=4), 1e-5, steps=10**7, runs=100)",
    "rc.simulate(problem, rc.SignSGD(), lambda k: 1e-5, steps=10**7, runs=100)",
    "rc.predict(problem, rc.SignSGD(momentum=0.9), lambda k: 1e-9 * (1 + k % 7), steps=10**7)",
    "rc.phases(dimension=1e6, points=40, threads=1)",
])
def test_ctrl_c_interrupts(python, work):
    program = python(CODE.format(work=work))
    assert program.stdout.readline() == "begun\n"
    time.sleep(1)
    program.send_signal(signal.SIGINT)
    begun = time.monotonic()
    out, errors = program.communicate(timeout=60)
    assert out == "interrupted\n" and program.returncode == 0, errors
    assert time.monotonic() - begun < 20


def test_a_callback_sees_the_fraction_grow_to_one(experiment):
    seen = []
    rc.simulate(experiment, runs=16, progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == 1 and 0 <= seen[0] <= 1


def test_a_callback_stops_by_false(long_runs):
    with pytest.raises(rc.Failure, match="stopped by progress"):
        rc.simulate(**long_runs, progress=lambda fraction: False)


def test_what_a_callback_raises_comes_out(long_runs):
    def fail(fraction):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        rc.simulate(**long_runs, progress=fail)


def test_a_bar_is_shown_where_asked_for(problem, capsys):
    pytest.importorskip("tqdm")
    rc.simulate(problem, rc.SignSGD(batch=4), 1e-4, steps=6000, runs=16, threads=1, progress=True)
    assert "simulating" in capsys.readouterr().err


def test_what_a_schedule_of_ones_own_raises_comes_out(problem):
    def broken(k):
        raise ZeroDivisionError("at " + str(k))

    with pytest.raises(ZeroDivisionError):
        rc.predict(problem, rc.SignSGD(), broken, steps=100)
    with pytest.raises(rc.InputError, match="returns a number"):
        rc.predict(problem, rc.SignSGD(), lambda k: "fast", steps=100)
