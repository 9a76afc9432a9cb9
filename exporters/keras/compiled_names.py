"""What `compile` was told, as Keras 1 and 2 write it: losses and metrics by name.

Source: Keras 1.2.2 `models.py` and 2.2.4 `engine/saving.py` (`save_model`, `load_model`): they read
all of `KEYS` and hand losses and metrics to `compile` as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...eras.compiled import ALL_KERAS, FUNCTIONS, SAME, USUAL
from ...ir.report import Report

KEYS: Mapping[str, Any] = {
    "loss": None,
    "metrics": None,
    "sample_weight_mode": None,
    "loss_weights": None,
}
"""What a record has to have."""


WRAPPERS = frozenset({"MeanMetricWrapper", "LossFunctionWrapper"})
"""Classes around any function, which they name."""


class Unsayable(Exception):  # ruff: ignore[error-suffix-on-exception-name] (no error: what is lost is told)
    """A loss that the target has not."""


def by_name(
    compiled: Mapping[str, Any], vocabulary: str, report: Report, *, one_metric: bool = False
) -> dict[str, Any] | None:
    """The record besides the optimizer; None where the target has no such loss.

    Args:
        compiled: As the source had it.
        vocabulary: The target's.
        report: Told of what it does not have.
        one_metric: Whether it reads one metric only of what is said by output.
    """
    found = {**KEYS, **compiled}
    try:
        found["loss"] = _nest(found["loss"], FUNCTIONS[vocabulary]["losses"])
    except Unsayable as what:
        _lost(report, f"the training record: the loss {what} is not in this Keras")
        return None
    for key in ("metrics", "weighted_metrics"):
        if found.get(key):
            found[key] = _metrics(found[key], FUNCTIONS[vocabulary]["metrics"], report)
            if one_metric and isinstance(found[key], Mapping):
                found[key] = _one_each(found[key], report)
    return found


def _one_each(metrics: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """The first metric of each output."""
    for name, stated in metrics.items():
        for one in stated[1:]:
            _lost(report, f"the metric {one} of {name}: this Keras reads one of each output")
    return {name: stated[0] for name, stated in metrics.items() if stated}


def _metrics(stated: Any, known: frozenset[str], report: Report) -> Any:
    """Metrics that the target has; of the only output, without a list around."""
    if isinstance(stated, Mapping) and "class_name" not in stated:
        return {name: _metrics(one, known, report) for name, one in stated.items()}
    if not isinstance(stated, Sequence) or isinstance(stated, str):
        stated = [stated]
    if len(stated) == 1 and isinstance(stated[0], list):
        return _metrics(stated[0], known, report)
    found = []
    for one in stated:
        try:
            found.append(_nest(one, known))
        except Unsayable as what:
            _lost(report, f"the metric {what}: it is not in this Keras")
    return found


def _nest(stated: Any, known: frozenset[str]) -> Any:
    """The same nest with the names of functions."""
    if isinstance(stated, Mapping) and "class_name" not in stated:
        return {name: _nest(one, known) for name, one in stated.items()}
    if isinstance(stated, Sequence) and not isinstance(stated, str):
        return [_nest(one, known) for one in stated]
    return None if stated is None else _function(stated, known)


def _function(stated: Any, known: frozenset[str]) -> str:
    name = stated
    if isinstance(stated, Mapping):
        config, name = stated.get("config"), str(stated.get("class_name")).rsplit(">", 1)[-1]
        if isinstance(config, str):  # Keras 3 on a function
            name = config
        elif isinstance(config, Mapping):
            if any(not _is_usual(key, value) for key, value in config.items()):
                raise Unsayable(f"{stated!r:.80}")
            name = (
                config.get("fn") if name in {"MeanMetricWrapper", "LossFunctionWrapper"} else name
            )
    name = SAME.get(str(name), str(name))
    if name.lower() in known or name not in ALL_KERAS:
        return name
    raise Unsayable(f"{name!r:.80}")


def _is_usual(key: str, value: Any) -> bool:
    usual = USUAL.get(key, ())
    return usual is None or value in usual


def _lost(report: Report, what: str) -> None:
    report.add("KT201", "lost", what, level="warning")
