"""A page of what scripts/benchmark measured.

Usage: page.py TARGETS.json PEERS.json MONTE_CARLO.json MACHINE COMMIT
"""

import json
import sys


def digits(x):
    return "–" if x is None or x != x else f"{x:.3g}"


def power(n):
    exponent = len(str(int(n))) - 1
    return f"10{''.join('⁰¹²³⁴⁵⁶⁷⁸⁹'[int(c)] for c in str(exponent))}"


def targets(rows):
    yield "| | command | aimed at, s | measured, s | of CPU, s | |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        met = "met" if row["seconds"] <= row["aim"] else "**not met**"
        solves = f"; {row['solves']} solves" if row["solves"] else ""
        yield (f"| {row['name']}{solves} | `{row['command']}` | {digits(row['aim'])} | {digits(row['seconds'])} | "
               f"{digits(row['processor'])} | {met} |")


def peers(rows):
    yield "| d | | setting | time, s | times riskcurve's | error of R(T) |"
    yield "|---|---|---|---|---|---|"
    own = {row["d"]: row["seconds"] for row in rows if row["peer"] == "riskcurve"}
    for row in rows:
        setting = row["setting"] if isinstance(row["setting"], str) else f"{row['setting']:g}"
        late = "" if row["error"] <= 1e-6 else " (none tried is within 1e-6)"
        yield (f"| {power(row['d'])} | {row['peer']} | {setting} | {digits(row['seconds'])} | "
               f"{digits(row['seconds'] / own[row['d']])} | {row['error']:.0e}{late} |")


def monte_carlo(rows):
    yield "| | | time of a step, s | in matrix products of that size |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| {row['what']} | {row['by']} | {digits(row['seconds'])} | {digits(row['products'])} |"


def main(targets_json, peers_json, monte_carlo_json, machine, commit):
    lines = [
        "# Benchmarks",
        "",
        f"Written by `scripts/benchmark --page` at commit {commit}, on {machine}. All peers of a table ran in the same minutes; what counts are ratios.",
        "",
        "## Whole commands, against what was aimed at",
        "",
        *targets(json.load(open(targets_json))),
        "",
        "## Predicting, against other solvers",
        "",
        "SignSGD, batch 1, eigenvalues j^(−1.5), noise of std 0.1, T = 10⁵ steps of 2·10⁻⁵, on one core. All get the same d rates as arrays and are timed at the loosest",
        "tolerance, of a ladder from 10⁻⁴ down, that leaves R(T) within 10⁻⁶ of the reference (riskcurve at rtol 10⁻¹³). riskcurve merges modes that",
        "relax alike and integrates a few hundred; the others are given what a user would give them, all d.",
        "",
        *peers(json.load(open(peers_json))),
        "",
        "## Monte Carlo",
        "",
        "One step on a 1024 × 1024 matrix, batch 1024, one thread; a matrix product of that size is the unit. A step draws the samples (2 × 1024²",
        "normals), forms residuals and gradient (three products), applies the map, and measures R.",
        "",
        *monte_carlo(json.load(open(monte_carlo_json))),
    ]
    print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
