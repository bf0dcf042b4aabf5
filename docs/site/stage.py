"""What the site is built from: the pages of the project as they stand, in the same folders, and pages made from the package, the
headers, the command and the notebooks.

Usage: stage.py SOURCE OUT COMMAND GALLERY [--without-explorer], the package on PYTHONPATH; GALLERY: the notebooks, run and
written as Markdown
"""

import inspect
import pathlib
import re
import shutil
import subprocess
import sys

import riskcurve as rc

source, out, command, gallery = (pathlib.Path(path).resolve() for path in sys.argv[1:5])
explorer = "" if "--without-explorer" in sys.argv else """
<p><a href="explore/index.html"><b>Move a slider and see the curve move</b></a>: the library, in this browser.</p>

"""
pages = [*source.glob("*.md"), *(path for path in source.glob("docs/**/*.md"))]

GROUPS = [
    ("commands", "Commands", "What the command line does, as functions."),
    ("problems", "Problems", "Problems, files of them, and your own data."),
    ("optimizers", "Optimizers", "One class each, with the names, keys and defaults of the problem file."),
    ("schedules", "Schedules", "Of the step size; momentum, decay and the batch take them too."),
    ("results", "Results", "What the commands return, errors and warnings."),
    ("theory", "Theory", "The mode system itself, laws of residuals, exponents."),
]


def group(name: str, thing: object) -> str:
    if inspect.isclass(thing):
        if issubclass(thing, rc.Optimizer) or thing in (rc.Average, rc.Wrapper):
            return "optimizers"
        if thing is rc.Schedule:
            return "schedules"
        if thing.__module__.endswith(("_problems", "_data", "_tables")):
            return "problems"
        return "theory" if thing.__module__.endswith(("_systems", "_laws")) else "results"
    if not callable(thing) or name == "Progress":
        return "results"
    if thing.__module__.endswith(("_commands", "_questions")) or name in ("sweep", "phases"):
        return "commands"
    if name == "from_torch":
        return "optimizers"
    kind = inspect.signature(thing).return_annotation
    kind = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    places = {"Schedule": "schedules", "Average": "optimizers", "Wrapper": "optimizers",
              "Covariance": "problems", "Noise": "problems", "Target": "problems"}
    if kind in places:
        return places[kind]
    if thing.__module__.endswith(("_problems", "_data")):
        return "problems"
    return "schedules" if thing.__module__.endswith("_kinds") else "theory"


def python_pages() -> list[str]:
    names: dict[str, list[str]] = {key: [] for key, *_ in GROUPS}
    for name in sorted(set(rc.__all__) - {"__version__"}, key=lambda name: (name.lower(), name)):
        names[group(name, getattr(rc, name))].append(name)
    written = []
    for key, title, about in GROUPS:
        lines = [f"Python: {title.lower()}", "=" * 40, "", about, "", ".. currentmodule:: riskcurve", ""]
        for name in names[key]:
            thing = getattr(rc, name)
            if inspect.isclass(thing):
                members = [] if issubclass(thing, rc.Optimizer) else ["   :members:", "   :inherited-members: tuple, Exception"]
                lines += [f".. autoclass:: {name}", *members, ""]
            elif callable(thing) and name != "Progress":
                lines += [f".. autofunction:: {name}", ""]
            else:
                lines += [f".. autodata:: {name}", "   :no-value:", ""]
        written.append(write(f"reference/python-{key}.rst", lines))
    return written


def header_pages() -> list[str]:
    """A page a folder of headers, as doxygen read them."""
    folders: dict[str, list[pathlib.Path]] = {}
    include = source / "include" / "riskcurve"
    for header in sorted(include.glob("*/*.hpp")):
        folders.setdefault(header.parent.name, []).append(header)
    order = ["problem", "input", "dynamics", "integrate", "simulate", "analysis", "report", "run"]
    written = []
    for folder in sorted(folders, key=order.index):
        lines = [f"C++: {folder}", "=" * 40, ""]
        for header in folders[folder]:
            lines += [header.name, "-" * len(header.name), "", f"``#include <riskcurve/{folder}/{header.name}>``", "",
                      f".. doxygenfile:: {folder}/{header.name}", "   :sections: innerclass innernamespace define enum typedef"
                      " func var briefdescription detaileddescription user-defined public-type public-attrib public-func"
                      " public-static-attrib public-static-func", ""]
        written.append(write(f"reference/cpp-{folder}.rst", lines))
    return written


def command_page() -> str:
    def said(*arguments: str) -> list[str]:
        text = subprocess.run([command, *arguments, "--help"], capture_output=True, text=True, check=True).stdout
        return ["```console", f"$ riskcurve {' '.join([*arguments, '--help'])}", *text.rstrip().splitlines(), "```", ""]

    top = said()
    lines = ["# The command", "", "What each command takes; [what they print](../docs/output.md), and"
             " [the problem file](../docs/problem-file.md).", "", *top]
    inside = False
    for line in top:
        if match := inside and re.match(r"  ([a-z-]+)  ", line):
            lines += [f"## {match.group(1)}", "", *said(match.group(1))]
        inside = inside or line == "Subcommands:"
    return write("reference/command.md", lines)


def gallery_pages() -> list[str]:
    shutil.copytree(gallery, out / "gallery", dirs_exist_ok=True)
    order = (gallery / "order").read_text(encoding="utf-8").split()
    (out / "gallery" / "order").unlink()
    return [f"gallery/{name}" for name in order]


def write(name: str, lines: list[str]) -> str:
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name.rsplit(".", 1)[0]


def toctree(caption: str, entries: list[str]) -> list[str]:
    return ["```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```", ""]


def index(reference: list[str], notebooks: list[str]) -> None:
    """README.md, and the pages in the order of docs/README.md."""
    trees: list[str] = []
    sections = re.split(r"^\*\*(.+)\*\*$", (source / "docs" / "README.md").read_text(encoding="utf-8"), flags=re.M)
    for caption, text in zip(sections[1::2], sections[2::2]):
        entries = [f"docs/{name}".removeprefix("docs/../") for name in re.findall(r"\]\(([^)#]+)\.md\)", text)]
        trees += toctree(caption, entries)
        if caption == "To use it":
            trees += toctree("Gallery", notebooks) + toctree("Reference", reference)
    text = (source / "README.md").read_text(encoding="utf-8")
    first, rest = text.split("\n\n![", 1)
    text = f"{first}\n{explorer}\n![{rest}"
    (out / "index.md").write_text(text + "\n" + "\n".join(trees), encoding="utf-8")


for page in pages:
    if page.name == "README.md" and page.parent == source:
        continue
    copy = out / page.relative_to(source)
    copy.parent.mkdir(parents=True, exist_ok=True)
    text = page.read_text(encoding="utf-8")
    for target in set(re.findall(r"\]\(([./]*)README\.md", text)):
        if (page.parent / target).resolve() == source:
            text = text.replace(f"]({target}README.md", f"]({target}index.md")
    if page == source / "docs" / "README.md":
        text = "---\norphan: true\n---\n\n" + text
    copy.write_text(text, encoding="utf-8")
shutil.copytree(source / "docs" / "figures", out / "docs" / "figures", dirs_exist_ok=True)
(out / "_static").mkdir(exist_ok=True)
(out / "_extra").mkdir(exist_ok=True)
for name, folder in (("site.css", "_static"), ("conf.py", "."), ("plain_text.py", ".")):
    shutil.copy(source / "docs" / "site" / name, out / folder)
index([command_page(), *python_pages(), *header_pages()], gallery_pages())
