"""One step of the real algorithms on a 1024 x 1024 matrix, batch 1024, one thread, beside NumPy's and PyTorch's.

Usage: OPENBLAS_NUM_THREADS=1 monte_carlo.py RISKCURVE OUT.json
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

N = 1024
PROBLEM = f"""[problem]
covariance_out = {{{{ kind = "power_law", dimension = {N}, alpha = 0.5 }}}}
covariance_in = {{{{ kind = "power_law", dimension = {N}, alpha = 0.5 }}}}
target = {{{{ kind = "power_law", beta = 0.2 }}}}
noise = {{{{ kind = "gaussian", std = 0.1 }}}}
[optimizer]
name = "{{name}}"
batch = {N}
[schedule]
kind = "constant"
step = 1e-3
[run]
steps = {{steps}}
at = [{{steps}}]
"""


def least(work, repeats=5):
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def own_step(binary, name):
    """What steps cost beyond the first, which sets up."""
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        for steps in (1, 7):
            path = os.path.join(folder, f"{steps}.toml")
            with open(path, "w") as file:
                file.write(PROBLEM.format(name=name, steps=steps))
            command = [binary, "simulate", path, "--runs", "1", "--threads", "1"]
            seconds[steps] = least(lambda: subprocess.run(command, check=True, capture_output=True), 3)
    return (seconds[7] - seconds[1]) / 6


def numpy_step(rng, delta, scale, polar):
    x_out, x_in = rng.standard_normal((N, N)) * scale, rng.standard_normal((N, N)) * scale
    residual = np.einsum("bi,bi->b", x_out @ delta, x_in) - 0.1 * rng.standard_normal(N)
    return delta - 1e-3 * polar((x_out * residual[:, None]).T @ x_in / N)


def numpy_polar(gradient):
    u, _, v = np.linalg.svd(gradient)
    return u @ v


def main(binary, out):
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((N, N)), rng.standard_normal((N, N))
    product = least(lambda: a @ b, 20)
    rows = [{"what": "a matrix product", "by": "OpenBLAS", "seconds": product}]
    for name in ("sgd", "sign_sgd", "sign_svd", "muon"):
        rows.append({"what": name, "by": "riskcurve", "seconds": own_step(binary, name)})
    scale, delta = np.arange(1.0, N + 1) ** -0.5, rng.standard_normal((N, N))
    rows.append({"what": "sgd", "by": "NumPy", "seconds": least(lambda: numpy_step(rng, delta, scale, lambda g: g), 3)})
    rows.append({"what": "sign_svd", "by": "NumPy", "seconds": least(lambda: numpy_step(rng, delta, scale, numpy_polar), 3)})
    try:
        import torch
    except ImportError:
        print("no PyTorch here: left out")
    else:
        torch.set_num_threads(1)
        d, s = torch.tensor(delta), torch.tensor(scale)

        def torch_step():
            x_out, x_in = torch.randn(N, N, dtype=d.dtype) * s, torch.randn(N, N, dtype=d.dtype) * s
            residual = ((x_out @ d) * x_in).sum(1) - 0.1 * torch.randn(N, dtype=d.dtype)
            u, _, v = torch.linalg.svd((x_out * residual[:, None]).T @ x_in / N)
            return d - 1e-3 * (u @ v)

        rows.append({"what": "sign_svd", "by": "PyTorch", "seconds": least(torch_step, 3)})
    for row in rows:
        row["products"] = row["seconds"] / product
        print(f"{row['seconds']:8.4f} s  {row['products']:6.2f} products  {row['what']}, {row['by']}", flush=True)
    with open(out, "w") as file:
        json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
