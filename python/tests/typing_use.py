"""Read by mypy: uses that the stubs must take, and some that they must refuse (an unused ignore is an error)."""

from __future__ import annotations

import numpy as np

import riskcurve as rc

problem = rc.VectorProblem(
    covariance=rc.power_law(2000, alpha=0.25), target=rc.power_law_target(beta=0.2), noise=rc.student_t(nu=1, scale=0.2)
)
adam: rc.Optimizer = rc.Adam(betas=(0.9, 0.95), batch=4, weight_decay=rc.cosine(0.1))
curve: rc.Curve = rc.predict(problem, adam, rc.cosine(1e-3, warmup=100), steps=4000, bands=True)
mean: float = float(np.mean(curve.risk))
runs: rc.Runs = rc.simulate(problem, rc.SignSGD(batch=4), lambda k: 5e-4, steps=4000, runs=8, seed=1)
rc.predict("x.toml").plot()
rc.phases((rc.SGD(), rc.Muon(ns_steps=3)), sides="two")
rc.spiked(100, spikes=np.ones(3), orientation="diagonal")
rc.SGD(momentum=0.9, average=rc.ema_average(decay=0.99), lookahead=rc.lookahead(sync_period=5))
rc.mixture([(0.9, rc.gaussian(0.1)), (0.1, rc.laplace(1.0))])

rc.SGD(batsh=4)  # type: ignore[call-arg]
rc.Schatten(batch=4)  # type: ignore[call-arg]
rc.power_law(2000, alpha="steep")  # type: ignore[arg-type]
rc.power_law(2000, alpha=0.1, orientation="up")  # type: ignore[arg-type]
rc.predict(problem, "adam", 1e-3, steps=3)  # type: ignore[arg-type]
curve.risks  # type: ignore[attr-defined]
