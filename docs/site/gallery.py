"""Runs notebooks and writes them as Markdown, with their pictures. Fails where a cell does.

Usage: gallery.py NOTEBOOKS OUT; NOTEBOOKS/order names them, one a line, as they are to be read.
"""

import pathlib
import re
import shutil
import sys
import tempfile
import textwrap

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter


def once(outputs: list) -> list:
    """Warnings without the lines that caused them, each of them once."""
    kept = []
    for output in outputs:
        if output.get("name") == "stderr":
            lines = dict.fromkeys(re.findall(r"\w+Warning: .*", output.text))
            lines = [textwrap.fill(line, 110) for line in lines]
            output.text = "".join(f"{line}\n" for line in lines if not any(line in other.get("text", "") for other in kept))
        if output.get("name") != "stderr" or output.text:
            kept.append(output)
    return kept


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
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = once(cell.outputs)
    body, resources = MarkdownExporter().from_notebook_node(notebook, {"unique_key": name, "output_files_dir": f"{name}_files"})
    for path, content in resources["outputs"].items():
        (out / path).parent.mkdir(exist_ok=True)
        (out / path).write_bytes(content)
    (out / f"{name}.md").write_text(body, encoding="utf-8")
    print(f"gallery: {name}")
shutil.copy(notebooks / "order", out)
