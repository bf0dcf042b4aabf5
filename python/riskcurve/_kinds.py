"""A class for every optimizer, and a function for every covariance, noise law, target and schedule, all made
from the registries of the library: names, keys, defaults and checks are its own."""

from __future__ import annotations

import csv
import functools
import json
import os
from typing import Any, Callable

from ._data import Covariance, Noise, PathLike
from ._tables import (
    Average,
    Optimizer,
    Schedule,
    Table,
    Target,
    Wrapper,
    catalogue,
    chain_keys,
    class_name,
    classes,
    function_name,
    keys_of,
    optimizer_classes,
    python_key,
    signature_of,
    values_of,
)

classes["average"] = Average
classes["wrapper"] = Wrapper

#: What each key takes, for help().
TYPES = {
    "float": "float", "int": "int", "bool": "bool", "array": "array or list of numbers", "pair": "two floats",
    "path": "path", "choice": "str", "schedule": "float or schedule", "table": "table", "laws": "list",
}


def _docs() -> dict[str, str]:
    try:
        with open(os.path.join(os.path.dirname(__file__), "_docs.json"), encoding="utf-8") as file:
            return dict(json.load(file))
    except FileNotFoundError:
        return {}


_comments = _docs()


def _comment(registry: str, kind: str) -> str:
    suffixes = {"covariance": "Covariance", "noise": "Noise", "target": "Target", "schedule": "Schedule",
                "average": "Average"}
    if registry == "wrapper":
        struct = "".join(word.capitalize() for word in kind.split("_"))
        return next((text for name, text in _comments.items() if name.startswith(struct)), "")
    for name, text in _comments.items():
        struct, _, of = name.partition(":")
        if of == kind and struct.endswith(suffixes.get(registry, "")):
            if registry == "optimizer" and any(struct.endswith(other) for other in suffixes.values()):
                continue
            return text
    return ""


def _line(line: dict[str, Any], registry: str) -> str:
    default = "required" if line["required"] else f"default {line['default']!r}"
    if line["key"] == "horizon" and registry == "schedule":
        default = "default: the run's steps"
    elif not line["required"] and line["default"] is None:
        default = "optional"
    expected = line["expected"]
    if line["type"] == "table":
        expected = " or ".join(_table_call(line["key"], table) for table in line["kinds"])
    return f"{python_key(line['key'])} : {TYPES[line['type']]}, {default}\n    {expected}"


def _table_call(key: str, table: dict[str, Any]) -> str:
    """What makes a table, or the table itself where there is no function for it."""
    if not any(line["key"] == key for line in chain_keys()):
        kind = f'"kind": "{table["kind"]}", ' if "kind" in table else ""
        return "{" + kind + ", ".join(f'"{line["key"]}": ..' for line in table["keys"]) + "}"
    return function_name("average" if "kind" in table else "wrapper", table.get("kind", key)) + "(..)"


def _document(registry: str, kind: str, head: str) -> str:
    own = {line["key"] for table in catalogue.get(registry, []) if table["kind"] == kind for line in table["keys"]}
    lines = keys_of(registry, kind)
    text = head + "\n\n" + "\n".join(_line(line, registry) for line in lines if registry != "optimizer" or line["key"] in own)
    if registry == "schedule" and any(line["key"] == "step" for line in lines):
        text += (
            "\n\n`step` may be called `value`, as in thresholds, momenta and batches, or `scaled_step`, a step"
            "\nsize that is divided by the dimension; final_step likewise. InputError for numbers out of range."
        )
    elif registry == "optimizer":
        around = [line for line in lines if line["key"] not in own]
        text += "\n\nAround the update (docs/problem-file.md):\n\n" + "\n".join(_line(line, registry) for line in around)
        of = [name for name in ("vector", "matrix") if kind in catalogue[f"of_a_{name}"]]
        text += f"\n\nOf a {' or '.join(of)} problem. InputError about optimizer.batch and the like."
    elif registry in ("average", "wrapper"):
        name = kind if registry == "wrapper" else registry
        text += f"\n\nInputError about optimizer.{name}.{lines[0]['key']} and the like, from the optimizer it is given to."
    else:
        text += f"\n\nInputError about {registry}.{lines[0]['key'] if lines else kind} and the like."
    return text


def _first_line(registry: str, kind: str, title: str = "") -> str:
    comment = _comment(registry, kind)
    return f"{title}:\n\n{comment}" if title and comment else comment or title or f"{kind} {registry}"


def _maker(registry: str, kind: str, returns: type[Table]) -> Callable[..., Any]:
    signature = signature_of(registry, kind)

    def make(*args: Any, **kwargs: Any) -> Any:
        values = values_of(signature, args, kwargs)
        if registry == "schedule" and "file" in values:
            values.update(_read_columns(values.pop("file")))
        return classes[registry](kind, values)

    name = function_name(registry, kind)
    make.__name__ = make.__qualname__ = name
    make.__module__ = "riskcurve"
    make.__doc__ = _document(registry, kind, _first_line(registry, kind))
    make.__signature__ = signature.replace(return_annotation=returns)  # type: ignore[attr-defined]
    return make


def _read_columns(path: PathLike) -> dict[str, list[float]]:
    """Two columns, steps and values, under a header or none: what the command writes."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row]
    numbers = [row for row in rows if row[0].strip()[:1] in "+-.0123456789"]
    return {"at": [float(row[0]) for row in numbers], "step": [float(row[1]) for row in numbers]}


def _optimizer_class(kind: str, title: str) -> type[Optimizer]:
    signature = signature_of("optimizer", kind)

    def __init__(self: Optimizer, **kwargs: Any) -> None:
        Optimizer.__init__(self, kind, values_of(signature, (), kwargs))

    def __reduce__(self: Optimizer) -> tuple[Any, ...]:
        return functools.partial(type(self), **{python_key(key): x for key, x in self._values.items()}), ()

    name = class_name(kind, title)
    made = type(
        name,
        (Optimizer,),
        {
            "__init__": __init__,
            "__reduce__": __reduce__,
            "__doc__": _document("optimizer", kind, _first_line("optimizer", kind, title)),
            "__module__": "riskcurve",
            "__signature__": signature,
            "kind": kind,
        },
    )
    optimizer_classes[kind] = made
    return made


def _all() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for table in catalogue["optimizer"]:
        one = _optimizer_class(table["kind"], table["title"])
        made[one.__name__] = one
    for registry, returns in (("covariance", Covariance), ("noise", Noise), ("target", Target), ("schedule", Schedule)):
        for table in catalogue[registry]:
            if table["kind"] != "custom":
                function = _maker(registry, table["kind"], returns)
                made[function.__name__] = function
    for line in chain_keys():
        if line["type"] != "table":
            continue
        for table in line["kinds"]:
            wrapper = "kind" not in table
            registry = "wrapper" if wrapper else "average"
            function = _maker(registry, table.get("kind", line["key"]), Wrapper if wrapper else Average)
            made[function.__name__] = function
    return made


_made = _all()
__all__ = list(_made)
globals().update(_made)


def custom(at: Callable[[float], float], breaks: Any = ()) -> Schedule:
    """A schedule that is a function of the step k (a float), smooth between `breaks`.

    Slower than one of the library: it is asked one step at a time, under Python's lock. No problem file can
    state it. A bare function does as well wherever a schedule is asked for.
    """
    return Schedule("custom", {"at": at, "breaks": list(breaks)})


__all__.append("custom")
