"""The site of the documentation, built by scripts/docs from a staged copy of the pages (stage.py)."""

import os
import pathlib
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import plain_text

project = "riskcurve"
author = "the riskcurve authors"
copyright = author
version = release = os.environ["RISKCURVE_VERSION"]
extensions = ["myst_parser", "breathe", "sphinx.ext.autodoc"]
root_doc = "index"
html_theme = "furo"
html_title = f"riskcurve {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_extra_path = ["_extra"]
html_theme_options = {"navigation_with_keys": True}
pygments_dark_style = "monokai"

breathe_projects = {"riskcurve": os.environ["RISKCURVE_XML"]}
breathe_default_project = "riskcurve"
breathe_show_include = False
cpp_index_common_prefix = ["riskcurve::"]
autodoc_member_order = "groupwise"
autodoc_typehints = "none"
autodoc_preserve_defaults = True

myst_heading_anchors = 4
myst_heading_slug_func = plain_text.slug
suppress_warnings = ["myst.header"]  # a page may begin at any level


def read(app, name, source):
    """Links to what is no page of the site: the name alone, as code."""
    here = pathlib.Path(app.srcdir, name).parent

    def link(match: re.Match) -> str:
        text, target = match.groups()
        if re.match(r"^[a-z]+:|#", target) or (here / target.partition("#")[0]).is_file():
            return match.group(0)
        return text if text.startswith("`") else f"`{text}`"

    fenced = re.split(r"(^```.*?^```\s*?$)", source[0], flags=re.M | re.S)
    source[0] = "".join(
        re.sub(r"^```console", "```text", part) if part.startswith("```") else re.sub(r"(?<!!)\[([^\]]*)\]\(([^) ]*)\)", link, part) for part in fenced
    )


def docstring(app, what, name, obj, options, lines):
    lines[:] = plain_text.restructured("\n".join(lines))


def setup(app):
    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", docstring)
