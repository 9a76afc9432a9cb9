"""What must not go unseen: each planted fault makes a genuine file's numbers wrong, or an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from numbers_of import ALLOWED, POLICIES, error, load

import kerasir
from genuine import FixtureCase
from kerasir.eras import padding, storage
from kerasir.importers.keras import match
from kerasir.importers.keras.call import LayerCall
from kerasir.importers.keras.layers import recurrent
from kerasir.ir.graph import Node
from kerasir.ir.plan import Settled
from kerasir.ir.tensor import Param
from kerasir.passes import rules

Genuine = Callable[[str], FixtureCase]


def agrees(case: FixtureCase, policy: str = "as authored", *, checked: bool = True) -> bool:
    """Whether a model still computes what the genuine Keras did."""
    try:
        return error(load(case), case, POLICIES[policy], checked=checked) < ALLOWED
    except kerasir.KerasirError:
        return False


@pytest.mark.parametrize(
    "name",
    ["keras1.2.2-theano/vgg_th", "keras2.2.4-theano/conv3d_net_tf", "keras2.2.4-theano/deconv_th"],
)
def test_kernels_that_are_not_reversed(
    name: str, genuine: Genuine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert agrees(genuine(name))
    monkeypatch.setattr(storage, "REVERSED", frozenset())
    assert not agrees(genuine(name))


def test_kernels_reversed_that_are_not(genuine: Genuine, monkeypatch: pytest.MonkeyPatch) -> None:
    case = genuine("keras2.2.4-theano/depthwise_th")
    assert agrees(case)
    wrong = storage.REVERSED | {("DepthwiseConv", "kernel")}
    monkeypatch.setattr(storage, "REVERSED", wrong)
    assert not agrees(case)


@pytest.mark.parametrize("checked", [True, False], ids=["by the checker", "by the numbers"])
def test_rows_that_are_not_reordered(
    checked: bool, genuine: Genuine, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = genuine("keras1.2.2-theano/vgg_th")
    assert agrees(case, "channels_last")

    def in_source_order(node: Node, wants, results, bound) -> Settled:
        settled = right(node, wants, results, bound)
        params = {name: node.param_layout(name) for name in settled.params}
        return Settled(node, settled.inputs, settled.results, settled.bound, params)

    right = rules._settled
    monkeypatch.setattr(rules, "_settled", in_source_order)
    assert not agrees(case, "channels_last", checked=checked)


def test_height_and_width_swapped(genuine: Genuine, monkeypatch: pytest.MonkeyPatch) -> None:
    case = genuine("keras1.2.2-theano/vgg_th")
    right = LayerCall.param

    def swapped(self: LayerCall, op, port, bound, **options) -> Param | None:
        taps = bound.get("kernel_space", ())
        square = len(taps) == 2 and taps[0].size == taps[1].size
        return right(
            self, op, port, {**bound, "kernel_space": taps[::-1]} if square else bound, **options
        )

    monkeypatch.setattr(LayerCall, "param", swapped)
    assert not agrees(case)


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("keras1.2.2-theano/embed_mask_lstm_th", "KERAS1_LSTM_GATES"),
        ("keras2.2.4-theano/embed_mask_lstm_th", "LSTM_GATES"),
    ],
)
def test_two_gates_swapped(
    name: str, order: str, genuine: Genuine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # names tell Keras 1's arrays apart; where they do not, their order has to
    monkeypatch.setattr(match, "is_called", lambda name, names: False)
    assert agrees(genuine(name))
    first, second, *rest = getattr(recurrent, order)
    monkeypatch.setattr(recurrent, order, (second, first, *rest))
    assert not agrees(genuine(name))


@pytest.mark.parametrize("axis", [2, -1])
def test_another_axis_of_batch_normalization(
    axis: int, genuine: Genuine, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = genuine("keras2.2.4-theano/resnet_th")
    assert agrees(case)
    right = LayerCall.axis
    monkeypatch.setattr(LayerCall, "axis", lambda self, value, index: right(self, value, axis))
    assert not agrees(case)


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("CONV", "keras2.2.4-theano/even_same_th"),
        ("POOL", "keras2.2.4-theano/pool_same_th"),
        ("POOL", "keras1.2.2-theano/pool_same_tf"),
    ],
)
def test_another_padding_rule(
    table: str, name: str, genuine: Genuine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert agrees(genuine(name))
    monkeypatch.setattr(padding, table, {"theano": padding.tensorflow})
    assert not agrees(genuine(name))


def test_padding_counted_that_is_not(genuine: Genuine, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = genuine("keras2.0.8-theano/pool_same_th"), genuine("keras2.2.4-theano/pool_same_th")
    assert agrees(old)
    assert agrees(new)
    monkeypatch.setattr(padding, "COUNTING_VERSIONS", ((9, 0, 0), (9, 0, 0)))
    assert not agrees(old)
    monkeypatch.setattr(padding, "COUNTING_VERSIONS", ((2, 0, 0), (2, 3, 1)))
    assert not agrees(new)


def test_flatten_has_two_meanings(genuine: Genuine, monkeypatch: pytest.MonkeyPatch) -> None:
    case = genuine("keras2.2.4-theano/flat_dense_th")
    assert agrees(case)
    from kerasir.importers.keras import registry
    from kerasir.importers.keras.layers.shape import FlattenConfig

    right = registry.read_config

    def plain(translator, stored, class_name, allowed):
        config, silent = right(translator, stored, class_name, allowed)
        return (FlattenConfig() if class_name == "Flatten" else config), silent

    monkeypatch.setattr("kerasir.importers.keras.lift.read_config", plain)
    assert not agrees(case)
