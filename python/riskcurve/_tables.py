"""Tables of a problem file as objects of Python: a kind, and the values of its keys."""

from __future__ import annotations

import inspect
import keyword
from typing import Any, Callable, Mapping

import numpy as np

from . import _core

catalogue: dict[str, Any] = _core.catalogue()


def python_key(key: str) -> str:
    """The name of a key as a parameter: those that Python reserves end in an underscore."""
    return key + "_" if keyword.iskeyword(key) else key


def plain(value: Any) -> Any:
    """Tables as dicts, all the way down."""
    if isinstance(value, Table):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return value


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (np.ndarray, list, tuple)) and isinstance(b, (np.ndarray, list, tuple)):
        if len(a) != len(b):
            return False
        if any(isinstance(item, (Mapping, list, tuple)) for item in (*a, *b)):
            return all(same(x, y) for x, y in zip(a, b))
        return bool(np.array_equal(np.asarray(a), np.asarray(b)))
    return bool(a == b)


def shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array{value.shape}" if value.size > 6 else repr(value.tolist())
    if isinstance(value, list) and len(value) > 6:
        return f"[{shown(value[0])}, ... {len(value)} items]"
    return repr(value)


class Table:
    """The values of one kind, immutable. Attributes are its keys: what was given, else the default.

    Two are equal where kind and values are. `replace(key=value)` is the same with other values.
    """

    registry = ""
    kind = ""
    _values: dict[str, Any]

    def __init__(self, kind: str, values: Mapping[str, Any]) -> None:
        self.__dict__["kind"] = kind
        self.__dict__["_values"] = {
            key: value for key, value in values.items() if value is not None
        }
        self._check()

    def _check(self) -> None:
        """Throws InputError for values that cannot be."""

    @property
    def keys(self) -> list[dict[str, Any]]:
        return keys_of(self.registry, self.kind)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__") and "_values" in self.__dict__:
            key = name[:-1] if keyword.iskeyword(name[:-1]) else name
            if key in self._values:
                return self._values[key]
            for line in self.keys:
                if line["key"] == key:
                    return line["default"]
        raise AttributeError(f"{type(self).__name__} of kind {self.kind!r} has no key {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("values are fixed: replace() gives the same with others")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(python_key(line["key"]) for line in self.keys)]

    def to_dict(self) -> dict[str, Any]:
        """{"kind": .., key: value}: what was given, as a table of a problem file."""
        return {"kind": self.kind, **{key: plain(item) for key, item in self._values.items()}}

    def replace(self, **values: Any) -> Any:
        """The same with these values in place of its own; None: the default."""
        changed = {key[:-1] if keyword.iskeyword(key[:-1]) else key: x for key, x in values.items()}
        return from_dict(self.registry, {**self.to_dict(), **self._values, **changed})

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and same(self.to_dict(), other.to_dict())  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((self.registry, self.kind))

    def __reduce__(self) -> tuple[Any, ...]:
        return from_dict, (self.registry, self.to_dict())

    def _call(self) -> str:
        return str(function_name(self.registry, self.kind))

    def __repr__(self) -> str:
        given = ", ".join(f"{python_key(key)}={shown(item)}" for key, item in self._values.items())
        return f"{self._call()}({given})"


class Schedule(Table):
    """A function of the step k: a step size, or a threshold, a momentum, a batch.

    Made by `constant`, `cosine` and so on. A `horizon` that is not given is the run's number of steps.
    """

    registry = "schedule"

    def _check(self) -> None:
        _core.check_schedule(self.to_dict(), "schedule")

    def __call__(self, k: Any, steps: float | None = None, dimension: float | None = None) -> Any:
        """The value at step k (a number or an array) of a run of `steps` steps in `dimension` dimensions."""
        missing = float("nan")
        values = _core.schedule_values(
            self.to_dict(), np.atleast_1d(np.asarray(k, float)), steps or missing, dimension or missing
        )
        return values if np.ndim(k) else float(values[0])


class Target(Table):
    """What is to be learned: the error at the start. Made by `power_law_target` and so on."""

    registry = "target"

    def _check(self) -> None:
        of_vector = {
            line["key"] for table in catalogue["target"] if table["kind"] == self.kind for line in table["keys"]
        }
        _core.check_target(self.to_dict(), not set(self._values) <= of_vector)


class Average(Table):
    """An average of the iterates, an optimizer's `average`. Made by `ema_average`, `uniform_average`."""

    registry = "average"


class Wrapper(Table):
    """What stands around an optimizer's update: `lookahead`, `schedule_free`, `local`."""

    registry = "wrapper"

    def to_dict(self) -> dict[str, Any]:
        values = super().to_dict()
        del values["kind"]
        return values

    def __reduce__(self) -> tuple[Any, ...]:
        return from_dict, (self.registry, {"kind": self.kind, **self.to_dict()})

    def replace(self, **values: Any) -> Any:
        return from_dict(self.registry, {"kind": self.kind, **self.to_dict(), **values})


class Optimizer(Table):
    """An optimizer as its users state it; one class for each that the library has."""

    registry = "optimizer"

    def _check(self) -> None:
        _core.check_update(self.to_dict())

    @property
    def name(self) -> str:
        return self.kind

    def to_dict(self) -> dict[str, Any]:
        """{"name": .., key: value}: what was given, as [optimizer] of a problem file."""
        values = super().to_dict()
        return {"name": values.pop("kind"), **values}


def chain_keys() -> list[dict[str, Any]]:
    return list(catalogue["chain"]["keys"])


def keys_of(registry: str, kind: str) -> list[dict[str, Any]]:
    """The keys of a kind: [{"key", "type", "default", "expected", "required"}]."""
    if registry in ("average", "wrapper"):
        for line in chain_keys():
            if line["type"] != "table":
                continue
            for table in line["kinds"]:
                if table.get("kind", line["key"]) == kind and (registry == "average") == ("kind" in table):
                    return list(table["keys"])
    for name in (registry, "matrix_" + registry):
        for table in catalogue.get(name, []):
            if table["kind"] == kind:
                keys = list(table["keys"])
                if name == "target":  # of a matrix it may have more
                    known = {line["key"] for line in keys}
                    keys += [
                        line
                        for other in catalogue["matrix_target"]
                        if other["kind"] == kind
                        for line in other["keys"]
                        if line["key"] not in known
                    ]
                if registry == "optimizer":
                    own = {line["key"] for line in keys}
                    for line in chain_keys():
                        if line["key"] not in own:
                            usual = table.get(line["key"], line["default"])
                            keys.append({**line, "default": usual})
                if registry == "schedule":
                    keys = [
                        {**line, "default": None, "required": False} if line["key"] == "horizon" else line
                        for line in keys
                    ]
                    keys += SCHEDULE_KEYS
                return keys
    raise KeyError(kind)


def _number(key: str, expected: str) -> dict[str, Any]:
    return {"key": key, "type": "float", "expected": expected, "default": None, "required": False}


SCHEDULE_KEYS = [_number("warmup", "steps of linear warm-up")]
#: Other names of `step` and `final_step`, as in problem files.
STEP_NAMES = ("scaled_step", "final_scaled_step", "value", "final_value")

#: Classes of the objects of each registry, filled as they are defined.
classes: dict[str, Callable[..., Table]] = {}
optimizer_classes: dict[str, type[Optimizer]] = {}


def function_name(registry: str, kind: str) -> str:
    """The function, or class, that makes this kind."""
    if registry == "optimizer":
        return optimizer_classes[kind].__name__
    if registry in ("target", "average"):
        return f"{kind}_{registry}"
    return "no_noise" if kind == "none" else kind


def class_name(kind: str, title: str) -> str:
    """The name in problem files with the capitals of its title: sign_sgd, SignSGD."""
    joined = "".join(word[0].upper() + word[1:] for word in title.split())
    if joined.lower() == kind.replace("_", ""):
        return joined
    words = {word.lower(): word for word in title.split()}
    return "".join(
        words[word] if word in words and words[word] != word else word.capitalize() for word in kind.split("_")
    )


def from_dict(registry: str, values: Mapping[str, Any]) -> Any:
    """The object of a registry that a table of a problem file states."""
    rest = dict(values)
    kind = rest.pop("kind", None) or rest.pop("name")
    rest.pop("name", None)
    if registry == "optimizer":
        for line in chain_keys():
            given = rest.get(line["key"])
            if line["type"] == "table" and isinstance(given, Mapping):
                nested = "average" if "kind" in given else "wrapper"
                rest[line["key"]] = from_dict(nested, {"kind": line["key"], **given})
        rest = {key: _schedule_or(item) for key, item in rest.items()}
        return optimizer_classes[kind](**{python_key(key): item for key, item in rest.items()})
    return classes[registry](kind, rest)


def _schedule_or(value: Any) -> Any:
    if isinstance(value, Mapping) and value.get("kind") in {line["kind"] for line in catalogue["schedule"]}:
        return from_dict("schedule", value)
    return value


def signature_of(registry: str, kind: str) -> inspect.Signature:
    """Required keys first, the others by their defaults; of optimizers all by keyword."""
    lines = keys_of(registry, kind)
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    by_keyword = inspect.Parameter.KEYWORD_ONLY
    # `step` may be given by another name.
    may_lack = {"step"} if registry == "schedule" else set()
    required = [line for line in lines if line["required"] and line["key"] not in may_lack]
    others = [line for line in lines if line not in required]
    if registry == "schedule":  # in their own order: step first
        required, others = [], lines
    parameters = []
    for line in [*required, *others]:
        default = inspect.Parameter.empty if line in required else line["default"]
        late = registry == "optimizer" or line in SCHEDULE_KEYS
        parameters.append(
            inspect.Parameter(python_key(line["key"]), by_keyword if late else positional, default=default)
        )
    if registry == "schedule":
        names = {line["key"] for line in lines}
        for other in STEP_NAMES:
            if ("final_step" if "final" in other else "step") in names:
                parameters.append(inspect.Parameter(other, by_keyword, default=None))
        if {"at", "step"} <= names:
            parameters.append(inspect.Parameter("file", by_keyword, default=None))
    return inspect.Signature(parameters)


def values_of(signature: inspect.Signature, args: Any, kwargs: Any) -> dict[str, Any]:
    """What a call gives, by key."""
    bound = signature.bind(*args, **kwargs).arguments
    return {key[:-1] if keyword.iskeyword(key[:-1]) else key: value for key, value in bound.items()}
