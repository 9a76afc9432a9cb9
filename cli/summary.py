"""What a conversion did, in twelve lines at most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..eras.titles import BACKENDS, writer
from ..errors import show
from . import words
from .console import Console
from .settings import Settings

if TYPE_CHECKING:
    from ..api import Conversion
    from ..changes import Changes, Moved
    from ..ir.model import Facts
    from ..ir.report import Event
    from ..verification import Verification

LINES = 12
WRITTEN_OUT = ("KP201", "KP202", "KP203")
"""Codes of pads and crops that became layers of their own."""

FOLDED = "KX103"
"""Code of layers that have no node of their own."""


def print_summary(
    settings: Settings,
    done: Conversion,
    src: str,
    dst: str,
    report: str | None,
    *,
    dry: bool,
) -> None:
    """Print it to stderr."""
    console = settings.err
    console.print(f"{console.paint(words.file(src), 'bold')}   {source_text(done.model.facts)}")
    console.print(f"→ {console.paint(words.file(dst), 'bold')}   {_target(done)}")
    console.print()
    sections = list(_sections(console, done))
    room = sum(map(len, sections)) if settings.verbose else LINES - 5
    for line in _shortened(sections, room):
        console.print(line)
    if settings.verbose:
        _print_layers(console, done)
    if settings.verbose > 1:
        _print_weights(console, done)
    console.print()
    told = "" if report is None else f"      report {words.file(report)}"
    size = console.paint(f"{words.size(done.bytes)} in {words.duration(done.seconds)}", "dim")
    if dry:
        console.print(f"· wrote nothing: --dry-run, {words.duration(done.seconds)}{told}")
        return
    wrote = console.paint("✓ wrote", "green")
    hint = told or (
        "      every layer: --report FILE.html" if console.terminal and not settings.verbose else ""
    )
    console.print(f"{wrote} {words.file(dst)}   {size}{hint}")


def source_text(facts: Facts) -> str:
    """Who wrote a file: `Keras 1.2.2, Theano, channels_first`."""
    parts = [writer(facts.era.value, facts.version.value)]
    # Keras 3 has one order of kernels whatever the backend, and its files name none
    unknown = [] if facts.era.value == "keras3" else ["backend unknown"]
    backend = BACKENDS.get(facts.backend.value or "")
    parts += unknown if backend is None else [backend]
    parts += [facts.ordering.value] if facts.ordering.value else []
    return show(", ".join(parts))


def _target(done: Conversion) -> str:
    target = done.target
    parts = [target.described.title]
    if target.kind == "onnx" and target.opset is not None:
        parts[0] += f" opset {target.opset}"
    if target.data_format != "keep":
        parts.append(target.data_format)
    if target.backend == "theano":
        parts.append("kernels for Theano")
    if target.weights_only:
        parts.append("weights only")
    if target.architecture_only:
        parts.append("architecture only")
    return ", ".join(parts)


def _sections(console: Console, done: Conversion) -> Iterator[list[str]]:
    """The lines between the heading and the verdict; empty sections are left out, `lost` is not."""
    report, changed = done.report, done.changes
    assumed = [_with_fix(event) for event in report.of("assumed")]
    yield _listed(console, "assumed", assumed, "yellow")
    yield _wrapped("changed", _changed(changed, report.of("changed")), console.width)
    yield _listed(console, "carried", [show(e.message) for e in report.of("carried")])
    lost = [_with_fix(event) for event in report.of("lost")]
    nothing = [_line("lost", console.paint("nothing", "green"))]
    yield _listed(console, "lost", lost, "red") or nothing
    warned = [e for e in report if e.level == "warning" and e.kind in {"note", "changed"}]
    yield _listed(console, "! note", [_with_fix(e) for e in warned], "yellow")
    yield from _orders(console, done)
    if done.verification is not None:
        yield [_verified(console, done.verification)]


def _line(word: str, text: str) -> str:
    return f"  {word:<9} {text}"


def _listed(console: Console, word: str, texts: Sequence[str], color: str = "") -> list[str]:
    """One a line."""
    lines = []
    for number, text in enumerate(dict.fromkeys(texts)):
        head = f"{'' if number else word:<9}"
        lines.append(f"  {console.paint(head, color) if color else head} {text}")
    return lines


def _wrapped(word: str, parts: Sequence[str], width: int | None) -> list[str]:
    """Parts joined by `; `, on as many lines as they need."""
    lines: list[str] = []
    for part in parts:
        if lines and (width is None or len(f"{lines[-1]}; {part}") <= width):
            lines[-1] += f"; {part}"
        else:
            lines.append(_line("" if lines else word, part))
    return lines


def _with_fix(event: Event) -> str:
    fix = f" ({event.fix})" if event.fix else ""
    named = f"{event.layer}: " if event.layer and event.layer not in event.message else ""
    return show(f"{named}{event.message}{fix}", 300)


def _changed(changed: Changes, events: Sequence[Event]) -> list[str]:
    """What changed in numbers, names where there are few."""
    return [
        *_kernels(changed.weights),
        *_rows(changed.weights),
        *_pads(events),
        *_folded(events),
        *(
            f"{words.count(len(layers), f'{kind} axis', f'{kind} axes')} moved"
            for kind, layers in changed.axes.items()
        ),
        *_others(events),
        f"{words.count(changed.transposes, 'Transpose')} added",
    ]


def _kernels(weights: Sequence[Moved]) -> Iterator[str]:
    groups = Counter(
        tuple(word for word in moved.words if word != "rows reordered") for moved in weights
    )
    for done, number in groups.items():
        if done == ("joined",):
            yield f"gates of {words.count(number, 'weight')} joined"
        elif done:
            yield f"{words.count(number, 'kernel')} {' and '.join(done)}"


def _rows(weights: Sequence[Moved]) -> Iterator[str]:
    layers: dict[str, list[str]] = {}
    for moved in weights:
        if "rows reordered" in moved.words and moved.layer not in layers.get(moved.kind, []):
            layers.setdefault(moved.kind, []).append(moved.layer)
    for kind, names in layers.items():
        if kind == "Dense":
            what = (
                "1 Dense kernel's rows"
                if len(names) == 1
                else f"{len(names):,} Dense kernels' rows"
            )
        else:
            what = f"parameters of {words.count(len(names), kind)}"
        yield f"{what} reordered ({words.names(names)})"


def _pads(events: Sequence[Event]) -> Iterator[str]:
    layers = [event.layer for event in events if event.code in WRITTEN_OUT]
    if layers:
        yield f"{words.count(len(layers), 'padding')} written out ({words.names(layers)})"


def _folded(events: Sequence[Event]) -> Iterator[str]:
    layers = [event.layer for event in events if event.code == FOLDED]
    if layers:
        yield f"{words.count(len(layers), 'layer')} folded ({words.names(layers)})"


def _others(events: Sequence[Event]) -> Iterator[str]:
    """What exporters changed besides, by code."""
    codes: dict[str, list[Event]] = {}
    for event in events:
        counted = event.code in {*WRITTEN_OUT, FOLDED} or event.code.startswith("KL")
        if not counted and event.level != "warning":
            codes.setdefault(event.code, []).append(event)
    for found in codes.values():
        more = f" and {len(found) - 1} more like it" if len(found) > 1 else ""
        layer = f"{found[0].layer}: " if found[0].layer else ""
        yield show(f"{layer}{found[0].message}{more}")


def _orders(console: Console, done: Conversion) -> Iterator[list[str]]:
    """What the caller must do differently; what changes alike is said together."""
    fed, given = done.changes.inputs, done.changes.outputs
    pairs = {(before, after) for _, before, after in (*fed, *given)}
    if fed and given and len(pairs) == 1:
        (before, after), *_ = pairs
        text = f"feed and expect {after} from now on; the old model took and gave {before}"
        yield _listed(console, "! order", [text], "yellow")
        return
    for word, entries, total in (
        ("input", fed, len(done.plan.inputs)),
        ("output", given, len(done.plan.outputs)),
    ):
        groups: dict[tuple[str, str], list[str]] = {}
        for name, before, after in entries:
            groups.setdefault((before, after), []).append(name)
        now, was = ("feed", "took") if word == "input" else ("expect", "gave")
        texts = [
            (f"{words.names(names)}: " if total > 1 else "")
            + f"{now} {after} from now on; the old model {was} {before}"
            for (before, after), names in groups.items()
        ]
        yield _listed(console, f"! {word}", texts, "yellow")


def _verified(console: Console, found: Verification) -> str:
    worst = found.worst
    agree = f"{found.agreeing} of {words.count(len(found.layers), 'layer')} agree"
    if not found.layers:
        many = len(found.outputs)
        agree = "the output agrees" if many == 1 else f"{many} of {many} outputs agree"
    error = "" if worst is None else f"{words.error(worst.error)} at {show(worst.name)}"
    allowed = console.paint(f"(allowed {found.tolerance:g})", "dim")
    word = console.paint(f"{'verified':<9}", "green")
    return f"  {word} {agree}; largest relative error {error} {allowed}"


def _shortened(sections: Sequence[list[str]], room: int) -> list[str]:
    """All lines if there is room; else the longest sections end early, and say so."""
    kept = [list(section) for section in sections]
    while sum(map(len, kept)) > room and max(map(len, kept)) > 1:
        max(kept, key=len).pop()
    for section, before in zip(kept, sections, strict=True):
        if len(section) < len(before):
            section[-1] += f"; … -v shows {len(before) - len(section)} more"
    return [line for section in kept for line in section]


def _print_weights(console: Console, done: Conversion) -> None:
    """A line for every weight: where it is stored, and how it lies before and after."""
    from ..inspection.rows import layer_rows

    moved = {(one.layer, one.weight): one for one in done.changes.weights}
    rows = [[console.paint(t, "dim") for t in ("layer", "weight", "dtype", "stored at", "layout")]]
    for row in layer_rows(done.source):
        for number, weight in enumerate(row.weights):
            found = moved.get((row.name, weight.name))
            after = f" → {console.tag(found.after)}" if found is not None else ""
            rows.append([
                "" if number else show("/".join([*row.path, row.name])),
                show(weight.name),
                weight.dtype,
                show(weight.stored[0]) if weight.stored else "",
                console.tag(weight.layout) + after,
            ])
    console.print()
    console.table(rows)


def _print_layers(console: Console, done: Conversion) -> None:
    """A line for each layer of which something is told, in the file's order."""
    told: dict[str, list[str]] = {layer.name: [] for layer in done.source.layers}
    for event in done.report:
        if event.layer:
            told.setdefault(event.layer, []).append(show(event.message, 300))
    rows = [[show(name), "; ".join(dict.fromkeys(texts))] for name, texts in told.items() if texts]
    if rows:
        console.print()
        console.table(rows)
    if done.verification is not None:
        console.print()
        proof = done.verification
        console.print(f"  {proof.fed}; engines: {proof.a.engine}; {proof.b.engine}")
