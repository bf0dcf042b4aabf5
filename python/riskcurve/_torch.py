"""Optimizers of torch.optim, read as what they are. torch itself is not needed."""

from __future__ import annotations

from typing import Any, Mapping

from ._errors import bad
from ._kinds import constant, power_decay
from ._tables import Optimizer, Schedule, optimizer_classes


def _refuse(name: str, group: Mapping[str, Any], **only: Any) -> None:
    """InputError unless these keys, where there are any, have the one value that the library knows."""
    for key, value in only.items():
        given = group.get(key, value)
        if given != value and not (given in (None, False) and value in (0, False, None)):
            raise bad(f"{name}.{key}", repr(given), f"{value!r}: the library has no other")


def _sgd(group: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    keys = {"momentum": group["momentum"], "dampening": group["dampening"], "nesterov": group["nesterov"],
            "l2": group["weight_decay"]}
    return "sgd", keys


def _adam(group: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    decoupled = group.get("decoupled_weight_decay", False)
    _refuse("Adam", group, amsgrad=False, **({} if decoupled else {"weight_decay": 0}))
    keys = {"betas": group["betas"], "eps": group["eps"], "weight_decay": group["weight_decay"] if decoupled else 0}
    return "adam", keys


def _adamw(group: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    _refuse("AdamW", group, amsgrad=False)
    return "adam", {"betas": group["betas"], "eps": group["eps"], "weight_decay": group["weight_decay"]}


def _nadam(group: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    decoupled = group.get("decoupled_weight_decay", False)
    _refuse("NAdam", group, momentum_decay=4e-3, **({} if decoupled else {"weight_decay": 0}))
    keys = {"betas": group["betas"], "eps": group["eps"], "nesterov": True,
            "weight_decay": group["weight_decay"] if decoupled else 0}
    return "adam", keys


def _rmsprop(group: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    _refuse("RMSprop", group, momentum=0, centered=False, weight_decay=0)
    return "rmsprop", {"alpha": group["alpha"], "eps": group["eps"]}


def _adagrad(group: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    _refuse("Adagrad", group, initial_accumulator_value=0, weight_decay=0)
    return "adagrad", {"eps": group["eps"]}


_KNOWN = {"SGD": _sgd, "Adam": _adam, "AdamW": _adamw, "NAdam": _nadam, "RMSprop": _rmsprop, "Adagrad": _adagrad}


def from_torch(optimizer: Any, *, batch: int = 1) -> tuple[Optimizer, Schedule]:
    """The optimizer, and the schedule of its step size, of one of torch.optim: SGD, Adam, AdamW, NAdam, RMSprop,
    Adagrad.

    optimizer : the object itself; it is known by its class's name and read by its param_groups, which must agree.
    batch : samples a step, which torch's optimizer does not know.

    Returns (optimizer, schedule): `predict(problem, *from_torch(optimizer, batch=4), steps=..)`. Raises
    InputError for another optimizer, and for what of these the library does not have: amsgrad, a weight decay
    that goes through Adam's root, RMSprop's momentum and the like.
    """
    name = type(optimizer).__name__
    groups = getattr(optimizer, "param_groups", None)
    if name not in _KNOWN or not groups:
        raise bad("optimizer", name, f"one of torch.optim's {', '.join(_KNOWN)}")
    group = {key: value for key, value in groups[0].items() if key != "params"}
    for other in groups[1:]:
        for key, value in group.items():
            if other.get(key) != value:
                raise bad(f"{name}.{key}", f"{value!r} and {other.get(key)!r}", "the same in all param_groups")
    _refuse(name, group, maximize=False)
    kind, keys = _KNOWN[name](group)
    lr, decay = float(group["lr"]), float(group.get("lr_decay", 0) or 0)
    schedule = power_decay(lr, exponent=1, delay=1 / decay) if decay > 0 else constant(lr)
    made: Any = optimizer_classes[kind]
    return made(batch=batch, **_plain(keys)), schedule


def _plain(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is at zero: that is every key's default."""
    return {key: value for key, value in keys.items() if value or key in ("betas", "eps", "alpha")}
