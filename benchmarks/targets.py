"""What an answer costs, whole process, against what was aimed at. Each row: least of some runs on an idle machine.

Usage: targets.py RISKCURVE OUT.json [--long] [--only REGEX]: the rows whose name it finds
"""

import argparse
import array
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from commands import COLUMNS, DIMENSIONS, HORIZONS, ROWS

BOUND = 8.0  # no more runs of a row once they took so many seconds
LIMIT = 60.0  # a command is stopped after so many seconds; with --long it may take an hour
FIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../validation/examples/fit/fit.toml")


def write_npy(path, values):
    """The eigenvalues as NumPy would save them. (A process that holds NumPy would hide the memory of what it starts.)"""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({len(values)},), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode())
        values.tofile(file)


def seconds_to_read(path):
    """Of one pass over the file, from the page cache into memory."""
    best = float("inf")
    for _ in range(5):
        begun = time.perf_counter()
        with open(path, "rb", buffering=0) as file:
            file.readall()
        best = min(best, time.perf_counter() - begun)
    return best


def run(name, command, folder, limit=LIMIT):
    """Wall and processor seconds, and what was printed: None where it was stopped."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, start_new_session=True) as process:
        try:
            printed, complaint = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return limit, None, None
    took, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != 0:
        sys.exit(f"targets: {name}: {(complaint.strip() or 'failed').splitlines()[-1]}")
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, printed


def measure(binary, folder, row, limit):
    with open(os.path.join(folder, "problem.toml"), "w") as file:
        file.write(row.problem)
    files = {"FILE": "problem.toml", "FIT": FIT}
    command = [binary, *(files.get(word, word) for word in row.arguments.split())]
    aim = row.aim
    if row.listed:
        path = os.path.join(folder, f"{row.listed}.npy")
        write_npy(path, array.array("d", (j**-1.5 for j in range(1, row.listed + 1))))
        aim = seconds_to_read(path)
    # The memory is asked for by a process of few pages: what Python itself starts begins at Python's own.
    report = os.path.join(folder, "peak")
    watched = [shutil.which("time"), "-q", "-f", "%M", "-o", report, *command]
    times, processors, printed = [], [], ""
    while printed is not None and len(times) < row.runs and sum(times) < BOUND:
        took, used, printed = run(row.name, watched if row.runs == 1 else command, folder, limit)
        times.append(took)
        processors += [used] if used is not None else []
    stopped = printed is None
    if not stopped and row.runs > 1:
        run(row.name, watched, folder, limit)
    memory = None
    if not stopped:
        with open(report) as file:
            memory = int(file.read()) / 1024
    solves = re.search(r"\((\d+) solves?\)", printed or "")
    return {"name": row.name, "command": "riskcurve " + row.arguments, "aim": aim, "seconds": min(times) * row.times,
            "processor": min(processors) * row.times if processors else None, "stopped": stopped, "times": row.times,
            "memory": memory, "long": row.long, "listed": row.listed > 0, "solves": int(solves.group(1)) if solves else None}


def costs(binary, folder):
    """Of every column, seconds at each dimension and at each horizon."""
    for title, (arguments, problem) in COLUMNS.items():
        for against, points in (("d", DIMENSIONS), ("T", HORIZONS)):
            for x in points:
                with open(os.path.join(folder, "problem.toml"), "w") as file:
                    file.write(problem(x, 1e5) if against == "d" else problem(1e6, x))
                command = [binary, *arguments.replace("FILE", "problem.toml").split()]
                best, spent = float("inf"), 0.0
                for _ in range(5):
                    took = run(f"{title}, {against} = {x:g}", command, folder)[0]
                    best, spent = min(best, took), spent + took
                    if spent > BOUND / 2:
                        break
                yield {"column": title, "against": against, "at": x, "seconds": best}
                if best > BOUND / 2:
                    break  # what is larger yet is left out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("riskcurve")
    parser.add_argument("out")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    binary = os.path.abspath(options.riskcurve)  # commands run in a folder of their own
    found = {"targets": [], "costs": []}
    with tempfile.TemporaryDirectory() as folder:
        for row in ROWS:
            if (row.long and not options.long) or not re.search(options.only, row.name):
                continue
            found["targets"].append(measure(binary, folder, row, 3600 if options.long else LIMIT))
            last = found["targets"][-1]
            aim = "" if last["aim"] is None else f"  (aim {last['aim']:.2g})"
            print(f"{last['seconds']:9.4f} s{aim}  {row.name}{', stopped' if last['stopped'] else ''}", flush=True)
        if not options.only or options.only == "costs":
            for cost in costs(binary, folder):
                found["costs"].append(cost)
                print(f"{cost['seconds']:9.4f} s  {cost['column']}, {cost['against']} = {cost['at']:g}", flush=True)
    with open(options.out, "w") as file:
        json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
