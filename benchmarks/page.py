"""A page of what scripts/benchmark measured, docs/benchmarks.md.

Usage: page.py FOLDER COMMIT COMMAND LONG.json [--long]: FOLDER holds targets.json, peers.json and monte_carlo.json. With --long
the rows of minutes are kept in LONG.json; without, they are taken from it.
"""

import json
import os
import subprocess
import sys

LIMIT = 1e-6  # error of R(T) that peers are held to


def digits(x):
    if x is None or x != x:
        return "–"
    return f"{x:.0f}" if x >= 999.5 else f"{x:.3g}"


def seconds(x):
    if x is None:
        return "–"
    return f"{digits(x)} s" if x >= 0.1 else f"{digits(1e3 * x)} ms"


def power(n):
    exponent = len(str(int(n))) - 1
    return f"10{''.join('⁰¹²³⁴⁵⁶⁷⁸⁹'[int(c)] for c in str(exponent))}"


def since(row):
    return f" (at {row['commit']})" if "commit" in row else ""


def verdict(row):
    if row["aim"] is None:
        return "no aim"
    if row["seconds"] <= row["aim"] and not row["stopped"]:
        return "met"
    return f"**not met**: {digits(row['seconds'] / row['aim'])} times"


def targets(rows):
    yield "| | command | aimed at | measured | of CPU | memory at most, MiB | |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        solves = f"; {row['solves']} solve{'s' if row['solves'] > 1 else ''}" if row["solves"] else ""
        part = ", stopped then" if row["stopped"] else ""
        part += f", {digits(row['times'])} times what the command took" if row["times"] > 1 else ""
        aim = f"{seconds(row['aim'])}, to read the file" if row["listed"] else seconds(row["aim"])
        yield (f"| {row['name']}{solves}{since(row)} | `{row['command']}` | {aim} | {seconds(row['seconds'])}{part} | "
               f"{seconds(row['processor'])} | {digits(row['memory'])} | {verdict(row)} |")


def costs(rows, against):
    columns = list(dict.fromkeys(row["column"] for row in rows))
    found = {(row["column"], row["at"]): row["seconds"] for row in rows if row["against"] == against}
    yield f"| {against} | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for at in sorted({at for _, at in found}):
        yield f"| {power(at)} | {' | '.join(seconds(found.get((column, at))) for column in columns)} |"


def holds(row):
    return row["error"] is not None and row["error"] <= LIMIT


def own(rows):
    return {row["d"]: row["seconds"] for row in rows if row["peer"] == "riskcurve"}


def peers(rows):
    yield "| d | | setting | time | times riskcurve's | error of R(T) |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        setting = row["setting"] if isinstance(row["setting"], str) else f"{row['setting']:g}"
        error = "diverged" if row["error"] is None else f"{row['error']:.0e}"
        late = "" if holds(row) else ": above 10⁻⁶, the last one tried"
        if not row["run"]:
            error, late = "not run: ten times its time above", ""
        yield (f"| {power(row['d'])} | {row['peer']}{since(row)} | {setting} | {'' if row['run'] else 'about '}{seconds(row['seconds'])} | "
               f"{digits(row['seconds'] / own(rows)[row['d']])} | {error}{late} |")


def listed(quicker):
    return "; ".join(quicker) if quicker else "none of these"


def quicker_peers(rows):
    return listed([f"{row['peer']} at d = {power(row['d'])}, {digits(own(rows)[row['d']] / row['seconds'])} times"
                   for row in rows if "riskcurve" not in row["peer"] and holds(row) and row["seconds"] < own(rows)[row["d"]]])


def monte_carlo(found):
    yield "| | | time of a step | in matrix products | share of the machine's rate |"
    yield "|---|---|---|---|---|"
    for row in found["rows"]:
        products = digits(row["seconds"] / found["product"]) if "vector" not in row["what"] else "–"
        yield f"| {row['what']} | {row['by']} | {seconds(row['seconds'])} | {products} | {100 * row['floor'] / row['seconds']:.0f} % |"


def sign_svd(found):
    of = {row["what"]: row["seconds"] / found["product"] for row in found["rows"] if row["by"] == "riskcurve"}
    parts = ", ".join(f"{name} {digits(took / found['product'])}" for name, took in found["polar"].items())
    met = "met" if of["sign_svd"] <= found["aim"] else "**not met**"
    yield (f"A step of SignSVD was aimed at {found['aim']} products: {met}, {digits(of['sign_svd'])}. SGD's step, all but the map, takes {digits(of['sgd'])} of them. In "
           f"products, what a polar factor could be made of: {parts}.")
    yield ("As many samples as rows give gradients of condition numbers 10⁸ to 10¹²: there Newton's iteration takes eight or nine inverses, and what eigenvectors of the")
    yield "Gram matrix say below 10⁻⁸ of the largest singular value is roundoff."


def quicker_steps(rows):
    ours = {row["what"]: row["seconds"] for row in rows if row["by"] == "riskcurve"}
    return listed([f"{row['what']}, {row['by']}, {digits(ours[row['what']] / row['seconds'])} times" for row in rows
                   if row["by"] != "riskcurve" and row["seconds"] < ours[row["what"]]])


def machine():
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "an unnamed processor")
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) / 2**20
    with open("/proc/loadavg") as file:
        load = float(file.read().split()[0])
    compiler = subprocess.run(["c++", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    # The benchmark itself is a load of about one, of two where a command takes several threads.
    busy = f" **The machine was not idle (load {load:.1f}): read ratios alone.**" if load > 1.5 * len(os.sched_getaffinity(0)) else ""
    return f"{len(os.sched_getaffinity(0))} cores of {model}, {memory:.0f} GiB of memory, gcc {compiler}", busy


def with_long(found, path, commit, long):
    """The rows of minutes: kept, or taken from what was kept. Whether there are any."""
    if long:
        kept = {name: [row for row in rows if row["long"]] for name, rows in found.items()}
        with open(path, "w") as file:
            json.dump({"commit": commit, **kept}, file, indent=1, ensure_ascii=False)
        return True
    if not os.path.exists(path):
        return False
    with open(path) as file:
        kept = json.load(file)
    for name, rows in found.items():
        rows += [{**row, "commit": kept["commit"]} for row in kept[name]]
    return True


def read(folder, name):
    with open(os.path.join(folder, name + ".json")) as file:
        return json.load(file)


def main(folder, commit, command, long_json, *options):
    found, steps = read(folder, "targets"), read(folder, "monte_carlo")
    rows = {"targets": found["targets"], "peers": read(folder, "peers")}
    kept = with_long(rows, long_json, commit, "--long" in options)
    where, busy = machine()
    aims = [row for row in rows["targets"] if row["aim"] is not None]
    missed = sum(verdict(row) != "met" for row in aims)
    absent = "Rows that name a commit were measured then, by `--page --long`." if kept else \
        "Left out, as each takes minutes and `--page --long` was not run here: two-sided maps of signals of any size, peers at d = 10⁷."
    torch = "" if steps["torch"] else " PyTorch could not be imported: its rows are left out."
    print("\n".join([
        "# Benchmarks",
        "",
        f"Written by `{command}` at commit {commit}, on {where}.{busy}",
        f"All rows of a table ran in the same minutes, so that ratios say more than times do. {absent}",
        "",
        "## Commands, against what was aimed at",
        "",
        f"Whole processes, the least of some runs; memory is what was resident at most. Of {len(aims)} aims {len(aims) - missed} are met and {missed} are not. What was",
        "measured on a smaller grid says so, with the factor.",
        "",
        *targets(rows["targets"]),
        "",
        "## What an answer costs against d and T",
        "",
        "Whole processes: `predict` of three optimizers and `optimum`, on power laws. T = 10⁵ in the first table, d = 10⁶ in the second. A dash: the one before",
        "took over four seconds.",
        "",
        *costs(found["costs"], "d"),
        "",
        *costs(found["costs"], "T"),
        "",
        "## Predicting, against other solvers",
        "",
        "SignSGD, batch 1, eigenvalues j^(−1.5), noise of std 0.1, T = 10⁵ steps of 2·10⁻⁵, on one core. All get the same d rates as arrays. Each stands at the",
        "loosest setting of a ladder (tolerances 10⁻⁴ to 10⁻⁹; 100 to 51200 fixed steps, doubled) that leaves R(T) within 10⁻⁶ of the reference, riskcurve at",
        "rtol 10⁻¹³; the measured error is the last column. Euler has the algorithm's own step, 1. Fixed steps are even in log t, Tsit5's as diffrax takes",
        "them, but of NumPy arrays: not compiled. riskcurve merges modes that relax alike and integrates a few hundred; the others are given what a user",
        "would give them, all d. LSODA and BDF form a Jacobian, and are left out where it is large; Euler where it takes minutes.",
        "",
        *peers(rows["peers"]),
        "",
        f"Quicker than riskcurve at this accuracy: {quicker_peers(rows['peers'])}.",
        "",
        "## Monte Carlo",
        "",
        f"One step of the real algorithm, one thread: on a {steps['size']} × {steps['size']} matrix with as large a batch, and of vectors. A matrix product of that size takes",
        f"{seconds(steps['product'])}, {digits(2 * steps['size']**3 / steps['product'] / 1e9)} Gflop/s by NumPy's OpenBLAS; NumPy draws {digits(1e-6 / steps['normal'])} million normals a second. The last column is the time that the",
        "products (two of a step: residuals and gradient) and the normals that no algorithm can do without take at these rates, over the measured time: what is",
        f"missing to 100 % is the map, the measured risk and other overhead.{torch}",
        "",
        *monte_carlo(steps),
        "",
        *sign_svd(steps),
        "",
        f"Quicker than riskcurve: {quicker_steps(steps['rows'])}.",
    ]))


if __name__ == "__main__":
    main(*sys.argv[1:])
