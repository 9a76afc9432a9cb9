"""Tables of `onnx_export.py`: files of kerasir beside those of other converters."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

Record = dict[str, Any]
NONE: Mapping[str, Any] = {}


def tables(
    records: Mapping[str, Record], others: Mapping[str, Sequence[str]], batches: Sequence[int]
) -> Iterator[str]:
    """Markdown: what files hold, what conversions take, and how fast the files run.

    Args:
        records: By the name of the file.
        others: Names of the other converters, by the suffix of the files that they take.
        batches: How many samples were run at once.
    """
    for suffix, names in others.items():
        chosen = {n.removesuffix(suffix): r for n, r in records.items() if n.endswith(suffix)}
        if not chosen:
            continue
        for name in names:
            yield from _in_short(chosen, suffix, name, batches)
        values = ("nodes", "Transposes", "MB", "error")
        heads = [cell for value in values for cell in (value, *names)]
        yield from _table(chosen, [suffix, *heads], partial(_contents, names=names))
        for name in names:
            yield from _by_op(chosen, suffix, name)
        heads = [cell for value in ("cpu s", "MB of memory") for cell in (value, *names)]
        yield from _table(chosen, [suffix, *heads, "runs"], partial(_costs, names=names))
        for name in names:
            run = _run(chosen, name)
            heads = [
                f"{cell} {batch}"
                for batch in batches
                for cell in ("ms, batch", f"{name}, batch", "noise, batch", "work, batch")
            ]
            if run:
                yield from _table(
                    run, [suffix, *heads], partial(_latency, name=name, batches=batches)
                )


def _run(chosen: Mapping[str, Record], name: str) -> dict[str, Record]:
    """Those of which kerasir's file and another converter's were run side by side."""
    return {n: r for n, r in chosen.items() if "1" in r.get("latency", NONE).get(name, NONE)}


def _in_short(
    chosen: Mapping[str, Record], suffix: str, name: str, batches: Sequence[int]
) -> Iterator[str]:
    """In words: how another converter compares over all files that it was given."""
    given = [(r, r["others"][name]) for r in chosen.values() if name in r.get("others", NONE)]
    made = [(r["kerasir"], other) for r, other in given if "nodes" in other]
    if not made:
        return
    cpu, memory = (sorted(b[key] / a[key] for a, b in made) for key in ("cpu", "mb"))
    nodes = [sum(b["nodes"].values()) - sum(a["nodes"].values()) for a, b in made]
    yield (
        f"Of {len(given)} {suffix} files {name} converts {len(made)}. It takes {_spread(cpu, 0)} "
        f"times kerasir's processor time and {_spread(memory, 0)} times its memory; its graph has "
        f"more nodes in {sum(n > 0 for n in nodes)}, as many in {nodes.count(0)}, fewer in "
        f"{sum(n < 0 for n in nodes)}."
    )
    runs = [record["latency"][name] for record in _run(chosen, name).values()]
    for batch in batches if runs else ():
        times = sorted(other / min(a, b) for a, other, b in (run[str(batch)] for run in runs))
        yield f"Its graph runs {_spread(times, 2)} times as long as kerasir's at batch {batch}."
    yield ""


def _spread(ordered: Sequence[float], digits: int) -> str:
    least, most, middle = ordered[0], ordered[-1], statistics.median(ordered)
    return f"{least:.{digits}f} to {most:.{digits}f} (median {middle:.{digits}f})"


def _table(
    chosen: Mapping[str, Record], heads: Sequence[str], row: Callable[[Record], Iterator[str]]
) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"
    for name, record in sorted(chosen.items()):
        yield f"| {name} | {' | '.join(row(record))} |"
    yield ""


def _sides(record: Record, names: Sequence[str]) -> list[Record]:
    """Kerasir's conversion and those of the others."""
    others = record.get("others", NONE)
    return [record["kerasir"], *(others.get(name, {}) for name in names)]


def _contents(record: Record, names: Sequence[str]) -> Iterator[str]:
    """Nodes, Transposes, size, error."""
    sides = _sides(record, names)
    yield from (count(side) for side in sides)
    yield from (count(side, "Transpose") for side in sides)
    yield from (f"{side['bytes'] / 1e6:.1f}" if "bytes" in side else "-" for side in sides)
    errors = [record.get("error"), *(side.get("error") for side in sides[1:])]
    yield from ("-" if one is None else f"{one:.0e}" for one in errors)


def count(side: Record, kind: str = "") -> str:
    """How many nodes a file has, all or of one kind, as a table shows it."""
    nodes = side.get("nodes")
    if nodes is None:
        return "fails" if "failed" in side else "-"
    return str(nodes.get(kind, 0) if kind else sum(nodes.values()))


def _by_op(chosen: Mapping[str, Record], suffix: str, name: str) -> Iterator[str]:
    """Nodes of every operator, in all files that another converter made too."""
    pairs = [(r["kerasir"], r.get("others", NONE).get(name, NONE)) for r in chosen.values()]
    both = [pair for pair in pairs if all("nodes" in side for side in pair)]
    if not both:
        return
    ours, theirs = (
        sum((Counter(side["nodes"]) for side in sides), Counter())
        for sides in zip(*both, strict=True)
    )
    yield f"| nodes of {len(both)} {suffix} | kerasir | {name} |"
    yield "|---" * 3 + "|"
    for op, _ in (ours + theirs).most_common():
        yield f"| {op} | {ours[op]} | {theirs[op]} |"
    yield f"| all | {ours.total()} | {theirs.total()} |"
    yield ""


def _costs(record: Record, names: Sequence[str]) -> Iterator[str]:
    """Processor time and memory; behind those of others how often they are kerasir's; runs."""
    mine, *others = _sides(record, names)
    for key, digits in (("cpu", 2), ("mb", 0)):
        yield f"{mine[key]:.{digits}f}" if key in mine else "-"
        for other in others:
            both = key in mine and key in other
            yield f"{other[key]:.0f} ({other[key] / mine[key]:.0f} times)" if both else "-"
    yield ", ".join(str(other.get("runs", 1)) if "cpu" in other else "-" for other in others)


def _latency(record: Record, name: str, batches: Sequence[int]) -> Iterator[str]:
    """Milliseconds; how often the other's are kerasir's; how far kerasir's two are apart; work."""
    taken = record["latency"][name]
    for batch in batches:
        first, other, again = taken[str(batch)]
        own = min(first, again)
        yield from (f"{own:.1f}", f"{other / own:.2f} times", f"{abs(first - again) / own:.2f}")
        work = taken.get(f"work {batch}")
        yield f"{work[1] / min(work[0], work[2]):.2f} times" if work else "-"
