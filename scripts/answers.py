"""Answers of the riskcurve that is on PATH, and how tables of the pages are laid out."""
import json
import pathlib
import subprocess
import tempfile


def answer(command, arguments, text):
    """What `riskcurve COMMAND FILE --json ARGUMENTS` says, the file holding this text."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "problem.toml"
        file.write_text(text)
        done = subprocess.run(["riskcurve", command, str(file), "--json", *arguments],
                              capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command} failed: {done.stderr}\n{text}")
    return json.loads(done.stdout)


def sweep(text, find, **vary):
    """The columns of a sweep of the problem: vary of fields, a double underscore for the dot, each a list of values."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "problem.toml").write_text(text)
        axes = "".join(f'[[vary]]\nfield = "{field.replace("__", ".")}"\nvalues = {json.dumps(values)}\n'
                       for field, values in vary.items())
        (path / "grid.toml").write_text(f'problem = "problem.toml"\nfind = "{find}"\n{axes}')
        done = subprocess.run(["riskcurve", "sweep", str(path / "grid.toml"), "--json", "--out", str(path / "x.csv")],
                              capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"sweep failed: {done.stderr}\n{text}")
    return json.loads(done.stdout)


def table(head, rows):
    lines = [head, *rows]
    width = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(line, width)) for line in lines)


def number(x):
    return f"{x:.3g}"
