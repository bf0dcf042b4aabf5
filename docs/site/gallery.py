"""Runs notebooks and writes them as Markdown, with their pictures. Fails where a cell does.

Usage: gallery.py NOTEBOOKS OUT; NOTEBOOKS/order names them, one a line, as they are to be read.
"""

import pathlib
import shutil
import sys
import tempfile

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

notebooks, out = (pathlib.Path(path) for path in sys.argv[1:])
shutil.rmtree(out, ignore_errors=True)
out.mkdir(parents=True)
names = (notebooks / "order").read_text(encoding="utf-8").split()
if sorted(names) != sorted(path.stem for path in notebooks.glob("*.ipynb")):
    sys.exit(f"gallery: {notebooks / 'order'} does not name the notebooks that are there")
for name in names:
    notebook = nbformat.read(notebooks / f"{name}.ipynb", as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}}).execute()
    body, resources = MarkdownExporter().from_notebook_node(notebook, {"unique_key": name, "output_files_dir": f"{name}_files"})
    for path, content in resources["outputs"].items():
        (out / path).parent.mkdir(exist_ok=True)
        (out / path).write_bytes(content)
    (out / f"{name}.md").write_text(body, encoding="utf-8")
    print(f"gallery: {name}")
shutil.copy(notebooks / "order", out)
