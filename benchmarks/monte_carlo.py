"""One step of the real algorithms on a 1024 x 1024 matrix, batch 1024, one thread, beside NumPy's and PyTorch's, and
beside what the machine's matrix products and random numbers alone would take.

Usage: OPENBLAS_NUM_THREADS=1 monte_carlo.py RISKCURVE OUT.json
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.linalg import lapack

N = 1024
SIGN_SVD_AIM = 5  # matrix products a step
PROBLEM = f"""[problem]
geometry = "matrix"
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
D = 100000
VECTOR = """[problem]
covariance = {{ kind = "eigenvalues", path = "spectrum.npy", orientation = "diagonal" }}
target = {{ kind = "power_law", beta = 0.25 }}
noise = {{ kind = "gaussian", std = 0.1 }}
[optimizer]
name = "{name}"
batch = 1
[schedule]
kind = "constant"
step = 2e-5
[run]
steps = {steps}
at = [{steps}]
"""


def least(work, repeats=5):
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def own_step(binary, problem, name, more):
    """What `more` steps cost beyond the first, which sets up."""
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        np.save(os.path.join(folder, "spectrum.npy"), np.arange(1.0, D + 1) ** -1.5)
        for steps in (1, 1 + more):
            path = os.path.join(folder, f"{steps}.toml")
            with open(path, "w") as file:
                file.write(problem.format(name=name, steps=steps))
            command = [binary, "simulate", path, "--runs", "1", "--threads", "1"]
            seconds[steps] = least(lambda: subprocess.run(command, check=True, capture_output=True), 2)
    return (seconds[1 + more] - seconds[1]) / more


def numpy_step(rng, delta, scale, update):
    x_out, x_in = rng.standard_normal((N, N)) * scale, rng.standard_normal((N, N)) * scale
    residual = np.einsum("bi,bi->b", x_out @ delta, x_in) - 0.1 * rng.standard_normal(N)
    return delta - 1e-3 * update((x_out * residual[:, None]).T @ x_in / N)


def numpy_polar(gradient):
    u, _, v = np.linalg.svd(gradient)
    return u @ v


def numpy_vector_step(rng, delta, scale, update):
    x = rng.standard_normal(D) * scale
    return delta - 2e-5 * update((x @ delta - 0.1 * rng.standard_normal()) * x)


def torch_rows():
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)
    delta, scale = torch.randn(N, N, dtype=torch.float64), torch.arange(1, N + 1, dtype=torch.float64) ** -0.5

    def step(update):
        x_out, x_in = torch.randn(N, N, dtype=delta.dtype) * scale, torch.randn(N, N, dtype=delta.dtype) * scale
        residual = ((x_out @ delta) * x_in).sum(1) - 0.1 * torch.randn(N, dtype=delta.dtype)
        return delta - 1e-3 * update((x_out * residual[:, None]).T @ x_in / N)

    def polar(gradient):
        u, _, v = torch.linalg.svd(gradient)
        return u @ v

    for name, update in (("sgd", lambda g: g), ("sign_svd", polar)):
        yield {"what": name, "by": f"PyTorch {torch.__version__}", "seconds": least(lambda: step(update), 3)}


def polar_parts(a):
    """What a polar factor could be made of: seconds of each."""
    gram = a.T @ a

    def inverse():
        lu, pivots, _ = lapack.dgetrf(a)
        lapack.dgetri(lu, pivots)

    def positive_inverse():
        factor, _ = lapack.dpotrf(gram, lower=1)
        lapack.dpotri(factor, lower=1)

    return {"singular vectors (dgesdd)": least(lambda: lapack.dgesdd(a, full_matrices=0), 3),
            "eigenvectors of the Gram matrix (dsyevd)": least(lambda: lapack.dsyevd(gram), 3),
            "an inverse (dgetrf, dgetri)": least(inverse), "a positive inverse (dpotrf, dpotri)": least(positive_inverse)}


def main(binary, out):
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((N, N)), rng.standard_normal((N, N))
    product = least(lambda: a @ b, 20)
    drawn = np.empty(D)
    normal = least(lambda: rng.standard_normal(out=drawn), 100) / D
    rows = []
    for name in ("sgd", "sign_sgd", "sign_svd", "muon"):
        rows.append({"what": name, "by": "riskcurve", "seconds": own_step(binary, PROBLEM, name, 6)})
    scale, delta = np.arange(1.0, N + 1) ** -0.5, rng.standard_normal((N, N))
    for name, update in (("sgd", lambda g: g), ("sign_svd", numpy_polar)):
        rows.append({"what": name, "by": f"NumPy {np.__version__}",
                     "seconds": least(lambda: numpy_step(rng, delta, scale, update), 3)})
    rows += torch_rows()
    for row in rows:
        row["floor"] = 2 * product + 2 * N**2 * normal
    scale, delta = np.arange(1.0, D + 1) ** -0.75, rng.standard_normal(D)
    small = [{"what": name, "by": "riskcurve", "seconds": own_step(binary, VECTOR, name, 300)} for name in ("sgd", "sign_sgd")]
    for name, update in (("sgd", lambda g: g), ("sign_sgd", np.sign)):
        small.append({"what": name, "by": f"NumPy {np.__version__}",
                      "seconds": least(lambda: numpy_vector_step(rng, delta, scale, update), 50)})
    for row in small:
        row["what"] += f", vector, d = {D}, batch 1"
        row["floor"] = D * normal
    rows += small
    for row in rows:
        print(f"{row['seconds']:9.5f} s  {row['floor'] / row['seconds']:6.1%} of the floor's rate  {row['what']}, {row['by']}", flush=True)
    with open(out, "w") as file:
        json.dump({"size": N, "product": product, "normal": normal, "rows": rows, "aim": SIGN_SVD_AIM, "polar": polar_parts(a),
                   "torch": any("PyTorch" in row["by"] for row in rows)}, file, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
