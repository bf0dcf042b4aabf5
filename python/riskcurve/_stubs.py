"""Writes the types of what _kinds.py makes from the registries: python -m riskcurve._stubs OUT.pyi"""

from __future__ import annotations

import inspect
import keyword
import sys
from typing import Any

from . import _kinds
from ._tables import STEP_NAMES, catalogue, chain_keys, function_name, keys_of, optimizer_classes, signature_of

HEAD = """# Made by riskcurve._stubs from the registries of the library.
from typing import Any, Callable, Literal, Mapping, Sequence

import numpy.typing as npt

from ._data import Covariance, Noise, PathLike
from ._problems import ScheduleLike
from ._tables import Average, Optimizer, Schedule, Target, Wrapper
"""


def type_of(line: dict[str, Any]) -> str:
    kinds = {
        "float": "float", "int": "float", "bool": "bool", "array": "npt.ArrayLike", "pair": "tuple[float, float]",
        "path": "PathLike", "schedule": "ScheduleLike",
        "laws": "Sequence[tuple[float, Noise]] | Sequence[Mapping[str, Any]]",
    }
    if line["type"] == "choice":
        return "Literal[" + ", ".join(repr(text) for text in line["choices"]) + "]"
    if line["type"] == "table":
        return ("Average" if "kind" in line["kinds"][0] else "Wrapper") + " | Mapping[str, Any]"
    if line["key"] == "batch":
        return "ScheduleLike"
    return kinds[line["type"]]


def parameters(registry: str, kind: str) -> str:
    lines = {line["key"]: line for line in keys_of(registry, kind)}
    text, marked = [], False
    for name, parameter in signature_of(registry, kind).parameters.items():
        key = name[:-1] if keyword.iskeyword(name[:-1]) else name
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not marked:
            text.append("*")
            marked = True
        if key in lines:
            kind_of = type_of(lines[key])
        else:
            kind_of = "PathLike" if key == "file" else "float"
            if key in STEP_NAMES:
                kind_of = type_of(lines["final_step" if "final" in key else "step"])
        if parameter.default is inspect.Parameter.empty:
            text.append(f"{name}: {kind_of}")
        else:
            text.append(f"{name}: {kind_of} | None = ...")
    return ", ".join(text)


def stubs() -> str:
    text = HEAD + f"\n__all__ = {sorted(_kinds.__all__)!r}\n"
    for kind, made in optimizer_classes.items():
        text += f"\nclass {made.__name__}(Optimizer):\n    def __init__(self, {parameters('optimizer', kind)}) -> None: ...\n"
        for line in keys_of("optimizer", kind):
            name = line["key"] + "_" if keyword.iskeyword(line["key"]) else line["key"]
            text += f"    @property\n    def {name}(self) -> Any: ...\n"
    returns = {"covariance": "Covariance", "noise": "Noise", "target": "Target", "schedule": "Schedule"}
    text += "\n"
    for registry, result in returns.items():
        for table in catalogue[registry]:
            if table["kind"] != "custom":
                name = function_name(registry, table["kind"])
                text += f"def {name}({parameters(registry, table['kind'])}) -> {result}: ...\n"
    for line in chain_keys():
        for table in line.get("kinds", ()):
            registry = "average" if "kind" in table else "wrapper"
            kind = table.get("kind", line["key"])
            text += f"def {function_name(registry, kind)}({parameters(registry, kind)}) -> {registry.capitalize()}: ...\n"
    text += "def custom(at: Callable[[float], float], breaks: Sequence[float] = ...) -> Schedule: ...\n"
    return text


if __name__ == "__main__":
    missing = [name for name in _kinds.__all__ if f" {name}(" not in stubs()]
    assert not missing, missing
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write(stubs())
