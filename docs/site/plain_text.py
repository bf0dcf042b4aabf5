"""Comments and docstrings, written to be read as they stand, as reStructuredText: paragraphs, formulas (indented), examples,
"name : meaning" lists, and links to the pages they name.

As a program, the filter of doxygen: the comments of a header, each as reStructuredText. Usage: plain_text.py HEADER
"""

import re
import sys

PAGE = re.compile(r"docs/([\w/-]+)\.md(#[\w-]+)?")
ITEM = re.compile(r"^([\w.*, ]+?) : (.*)")


def escaped(text: str, page: str = "../") -> str:
    """One line, nothing in it markup but `names` and links to pages; `page`: where from here the folder of docs/ is."""

    def plain(text: str) -> str:
        pieces = re.split(r"`([^`]+)`", text)
        for index, piece in enumerate(pieces):
            pieces[index] = f"``{piece}``" if index % 2 else re.sub(r"([\\`*_|<>])", r"\\\1", piece)
        # What touches a name in code would not end it.
        return re.sub(r"(?<=[^\s(])(``[^`]+``)", r"\\ \1", re.sub(r"(``[^`]+``)(?=[^\s.,:;)])", r"\1\\ ", "".join(pieces)))

    out, end = "", 0
    for match in PAGE.finditer(text):
        name, anchor = match.group(1), match.group(2) or ""
        out += plain(text[end : match.start()])
        out += f"`docs/{name}.md{anchor} <{page}docs/{name}.html{anchor}>`__"
        end = match.end()
    return out + plain(text[end:])


def slug(text: str) -> str:
    """The anchor of a heading, as GitHub makes it (scripts/docs-check)."""
    text = re.sub(r"[√→×−–—·≤≥∞½¼¾“”’…]", "", text).lower()
    text = re.sub(r"[\[\]`*(),.:;!?\"'/\\+=<>|{}&%$@^~]", "", text)
    return text.replace(" ", "-")


def paragraphs(text: str) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for line in text.expandtabs().splitlines():
        if line.strip():
            blocks[-1].append(line.rstrip())
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def literal(lines: list[str]) -> list[str]:
    return [".. code-block:: text", "", *("    " + line for line in lines), ""]


def restructured(text: str) -> list[str]:
    """The lines of `text` as reStructuredText."""
    out: list[str] = []
    for block in paragraphs(text):
        indent = min(len(line) - len(line.lstrip()) for line in block)
        lines = [line[indent:] for line in block]
        if lines[0].startswith(">>>"):
            out += [*lines, ""]
        elif ITEM.match(lines[0]) and all(ITEM.match(line) or line.startswith(" ") for line in lines):
            for line in lines:
                if item := ITEM.match(line):
                    out.append(f"* **{escaped(item.group(1))}** : {escaped(item.group(2))}")
                else:
                    out[-1] += ";" if re.search(r", (optional|required|default:? .*)$", out[-1]) else ""
                    out.append("  " + escaped(line.strip()))
            out.append("")
        else:
            out += formulas(lines)
    return out


def formulas(lines: list[str]) -> list[str]:
    """Text, and the lines in it that stand further in."""
    out: list[str] = []
    inside: list[str] = []
    for line in [*lines, None]:
        if line is not None and line.startswith("  "):
            inside.append(line[2:])
            continue
        if inside:
            out += ["", *literal(inside)]
            inside = []
        if line is not None:
            out.append(escaped(line))
    return [*out, ""]


def filtered(source: str) -> str:
    """A header as doxygen reads it: `///` blocks and `///<` notes as embedded reStructuredText."""
    out: list[str] = []
    block: list[str] = []

    def flush() -> None:
        if block:
            out.extend(["/**", "@verbatim embed:rst", *restructured("\n".join(block)), "@endverbatim", "*/"])
            block.clear()

    note: list[str] | None = None
    for line in source.splitlines():
        if re.match(r"^(namespace riskcurve \{|\}  // namespace riskcurve)$", line):
            continue  # or each header would declare it anew
        trailing = re.match(r"^(.*?)\s*///<\s?(.*)$", line)
        if note is not None and not (trailing and not trailing.group(1).strip()):
            out.append(f"/**< @verbatim embed:rst:inline {escaped(' '.join(note))} @endverbatim */")
            note = None
        if trailing:
            flush()
            if trailing.group(1).strip():
                out.append(trailing.group(1))
                note = []
            note = [*(note or []), trailing.group(2).strip()]
        elif comment := re.match(r"^\s*/// ?(.*)$", line):
            block.append(comment.group(1))
        else:
            flush()
            out.append(line)
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as header:
        sys.stdout.write(filtered(header.read()))
