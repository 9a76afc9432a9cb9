"""What `compile` was told, as Keras 3 writes it: optimizer, losses and metrics as objects.

Source: Keras 3.15 `trainers/trainer.py` (`get_compile_config`, `compile_from_config`), and files
that it wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...eras.compiled import CLASSES, NAMES, REDUCTIONS, SCHEDULES, UNREAD
from ...ir.report import Report

Said = Mapping[str, Any]


HOW: Mapping[str, tuple[Any, ...]] = {
    "run_eagerly": (None, False),
    "steps_per_execution": (None, 1),
    "jit_compile": (None, False),
}
"""What tf.keras and Keras 3 are told of how to run, and what says nothing."""


def losses_and_metrics(compiled: Said, outputs: int, report: Report) -> dict[str, Any]:
    """The arguments of `compile` besides the optimizer.

    Args:
        compiled: As the source had them, outputs by the names that they have now.
        outputs: How many outputs the model has.
        report: Told of what Keras 3 does not have.
    """
    found: dict[str, Any] = {}
    for key, kind in (("loss", "losses"), ("metrics", "metrics"), ("weighted_metrics", "metrics")):
        found[key] = _nest(compiled.get(key), _reader(kind, report))
    for key in ("metrics", "weighted_metrics"):
        found[key] = _per_output(found[key], outputs)
    found |= {key: compiled[key] for key in HOW if compiled.get(key) not in HOW[key]}
    found["loss_weights"] = compiled.get("loss_weights") or None
    mode = compiled.get("sample_weight_mode")
    if mode:
        _lost(report, f"sample_weight_mode = {mode!r:.80}: Keras 3 has no such argument")
    return found


def _nest(stated: Any, read: Callable[[Any], Any]) -> Any:
    """Every loss or metric in a nest of lists and outputs; those that are lost are left out."""
    if isinstance(stated, Mapping) and "class_name" not in stated:
        return {name: _nest(one, read) for name, one in stated.items()}
    if isinstance(stated, Sequence) and not isinstance(stated, str):
        return [_nest(one, read) for one in stated]
    return None if stated is None else read(stated)


def _per_output(metrics: Any, outputs: int) -> Any:
    """Metrics without gaps; a list for every output, where there are several.

    Of one list Keras 2 takes each metric for every output; Keras 3 asks for as many as there are
    outputs (`trainers/compile_utils.py`, `CompileMetrics._build`).
    """
    if isinstance(metrics, Mapping):
        return {name: _per_output(one, 1) for name, one in metrics.items()}
    if not isinstance(metrics, list):
        return metrics
    if outputs == 1 and len(metrics) == 1 and isinstance(metrics[0], list):
        return _per_output(metrics[0], 1)
    if any(isinstance(one, list) for one in metrics):
        return [_per_output(one, 1) for one in metrics]
    there = [one for one in metrics if one is not None]
    return [list(there) for _ in range(outputs)] if outputs > 1 and there else there


def _reader(kind: str, report: Report) -> Callable[[Any], Any]:
    names, classes = NAMES["keras3"][kind], CLASSES["keras3"][kind]

    def read(stated: Any) -> Any:
        found = _named(stated, names, classes, f"keras.{kind}")
        if found is None:
            _lost(report, f"among the {kind} {stated!r:.80}: Keras 3 has nothing of this name")
        return found

    return read


def _named(stated: Any, names: Mapping[str, str], classes: frozenset[str], module: str) -> Any:
    if isinstance(stated, str):
        bare = stated.rsplit(">", 1)[-1]
        return names.get(bare) or (_object(module, bare, {}) if bare in classes else None)
    config = stated.get("config") if isinstance(stated, Mapping) else None
    class_name = stated.get("class_name") if isinstance(stated, Mapping) else None
    if isinstance(config, str):  # Keras 3 on a function
        return names.get(config)
    if not isinstance(config, Mapping):
        return None
    if class_name in classes:
        return _object(module, str(class_name), _config(config))
    return names.get(str(config.get("fn")))


def _config(config: Said) -> dict[str, Any]:
    found = {key: value for key, value in config.items() if key not in UNREAD}
    if "reduction" in found:
        found["reduction"] = REDUCTIONS.get(found["reduction"], found["reduction"])
    dtype = found.get("dtype")
    if isinstance(dtype, Mapping):
        inner = dtype.get("config")
        found["dtype"] = inner.get("name") if isinstance(inner, Mapping) else None
    return found


def optimizer(name: str, config: Said) -> dict[str, Any]:
    """An optimizer as an object."""
    return _object("keras.optimizers", name, dict(config))


def schedule(stated: Said) -> dict[str, Any] | None:
    """A learning rate that is a function of the step; None if Keras 3 has no such class."""
    name, config = stated.get("class_name"), stated.get("config")
    if name not in SCHEDULES or not isinstance(config, Mapping):
        return None
    return _object("keras.optimizers.schedules", str(name), dict(config))


def decaying(rate: float, decay: float) -> dict[str, Any]:
    """The rate divided by 1 + decay * steps: what `decay` means in Keras 1 and 2."""
    config = {"initial_learning_rate": rate, "decay_steps": 1, "decay_rate": decay}
    return _object("keras.optimizers.schedules", "InverseTimeDecay", config)


def _object(module: str, class_name: str, config: Said) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": None,
    }


def _lost(report: Report, what: str) -> None:
    report.add("KT201", "lost", what, level="warning")
