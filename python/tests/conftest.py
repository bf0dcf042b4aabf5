import json
import os
import signal
import subprocess
import sys

import pytest

import riskcurve as rc


@pytest.fixture
def problem():
    return rc.VectorProblem(
        covariance=rc.power_law(500, alpha=0.25),
        target=rc.power_law_target(beta=0.2),
        noise=rc.student_t(nu=1, scale=0.2),
    )


@pytest.fixture
def experiment(problem):
    return rc.Experiment(problem, rc.SignSGD(batch=4), rc.constant(1e-3), steps=2000, points=8)


@pytest.fixture
def matrix():
    return rc.MatrixProblem(
        rc.isotropic(40), rc.power_law(40, alpha=0.25), rc.power_law_target(beta=0.2), rc.gaussian(0.3)
    )


@pytest.fixture(scope="session")
def command():
    """Runs the command, and reads its JSON."""
    path = os.environ.get("RISKCURVE")
    if not path:
        pytest.skip("RISKCURVE names no command to agree with")

    def run(*arguments):
        found = subprocess.run([path, *map(str, arguments), "--json"], capture_output=True, text=True)
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    return run


@pytest.fixture
def python():
    """A program in an interpreter of its own."""

    def start(code, **options):
        # Ctrl-C is ignored in what a shell runs in the background, and in its children.
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **options)

    return start
