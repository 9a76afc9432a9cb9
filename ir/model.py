"""A model: its graph, what the file said beside it, and what was found out on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from .graph import Graph, Layer, Value
from .original import Original
from .plan import Policy
from .report import Report
from .shown import Shown
from .tensors import Tensors
from .training import Training

ModelKind = Literal["sequential", "functional", "subclassed", "weights"]
Trust = Literal["user", "file", "inferred", "unknown"]


class Fact(msgspec.Struct, frozen=True):
    """One thing known of a file, and how.

    Attributes:
        value: Such as `theano`; None if not known.
        trust: Said by the user, by the file, inferred, or unknown.
        evidence: What it was read from.
    """

    value: str | None
    trust: Trust
    evidence: str = ""


class Facts(msgspec.Struct, frozen=True):
    """What is known of the file a model came from.

    Attributes:
        era: `keras0`, `keras1`, `keras2`, `tf_keras` or `keras3`.
        version: Keras version as stored.
        backend: Which one wrote the kernels.
        ordering: `channels_first` or `channels_last`.
    """

    path: str
    bytes: int
    container: str
    content: Literal["model", "weights"]
    era: Fact
    version: Fact
    backend: Fact
    ordering: Fact


class Scope(msgspec.Struct, frozen=True, eq=False):
    """One call of a nested model; its nodes are inlined in the graph and carry the path.

    Attributes:
        path: Names of the nested models around and including this, each as `name#call`.
        layer: The nested model as a layer: name, class (`Sequential`, `Functional`), config.
        inputs: What the caller feeds, in order.
        outputs: What comes back, in order.
        names: What the model itself calls its inputs.
    """

    path: tuple[str, ...]
    layer: Layer
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    names: tuple[str, ...] = ()


class Model(msgspec.Struct, Shown, frozen=True, eq=False, kw_only=True):
    """Everything kerasir holds of a model. Passes make new ones; weights are shared by identity.

    Attributes:
        graph: What is computed.
        name: The model's name.
        kind: How the file spelt it.
        facts: What is known of the file.
        report: Events so far.
        training: The training record, if the file has one.
        scopes: Calls of nested models, outermost first.
        layers: Every layer in the file's order, those without a node included.
        preserved: What the file says of the model as a whole and nothing here needs.
        policy: What is wanted of layouts; the layout passes set it, `solve` reads it.
        original: The file, whole; None where it was read as something else than it says.
    """

    graph: Graph
    name: str
    kind: ModelKind
    facts: Facts
    report: Report
    training: Training | None = None
    scopes: tuple[Scope, ...] = ()
    layers: tuple[Layer, ...] = ()
    preserved: Mapping[str, Any] = {}
    policy: Policy = Policy()
    original: Original | None = None

    @property
    def tensors(self) -> Tensors:
        """The weights by name, in any layout: `model.tensors["fc1/kernel"].numpy()`."""
        return Tensors(self.graph)

    def __repr__(self) -> str:
        era, nodes = self.facts.version.value or self.facts.era.value, len(self.graph.nodes)
        return f"<Model {self.name}, Keras {era}, {nodes} nodes, {len(self.tensors)} weights>"
