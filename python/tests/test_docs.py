"""What pages and docstrings show is what comes out; the list of the public API has no gap."""

import doctest
import pathlib
import re
import subprocess
import sys
import warnings

import pytest

import riskcurve as rc

ROOT = pathlib.Path(__file__).parents[2]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run(examples, name, names):
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    test = doctest.DocTestParser().get_doctest(examples, names, name, name, 0)
    lines = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rc.TrustWarning)
        runner.run(test, out=lines.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(lines)
    return len(test.examples)


def test_the_page_shows_what_comes_out(tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```pycon\n(.*?)```", page, flags=re.S)
    assert run("\n".join(blocks), "docs/python.md", {}) > 20


def test_the_readme_runs(monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.S)
    block = block.replace("2000", "500").replace("4000", "500").replace("runs=8", "runs=2")  # in a second
    names = {}
    exec(block, names)  # noqa: S102
    assert names["best"].risk > 0 and names["curve"].high is not None


@pytest.mark.parametrize("name", ["predict", "custom_noise"])
def test_docstrings_show_what_comes_out(name):
    assert run(getattr(rc, name).__doc__, name, {}) > 1


def test_the_packages_docstring_runs():
    assert run(rc.__doc__, "riskcurve", {}) > 3


def test_the_public_api_is_covered_without_a_gap():
    made = subprocess.run([sys.executable, ROOT / "python" / "tools" / "public_api.py"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    page = (ROOT / "docs" / "python-api.md").read_text(encoding="utf-8")
    assert made.stdout.strip() in page, "docs/python-api.md: write it anew by python/tools/public_api.py"


def test_the_quick_start_runs_in_half_a_minute(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", str(pathlib.Path(rc.__file__).resolve().parents[1]))
    path = ROOT / "python" / "notebooks" / "quick_start.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=30, resources={"metadata": {"path": str(tmp_path)}}).execute()
    pictures = [output for cell in notebook.cells for output in cell.get("outputs", ()) if "image/png" in output.get("data", {})]
    assert pictures
