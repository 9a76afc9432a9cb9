"""What stands right behind a node and might be written in its configuration."""

from __future__ import annotations

from ...ir.graph import Node, Value
from ...ir.plan import Plan, Settled


def followers(plan: Plan) -> dict[Node, Settled]:
    """For each main node what is right behind it and might be written in its configuration."""
    readers: dict[Value, list[Settled]] = {}
    for settled in plan.settled:
        for held in settled.inputs:
            if held is not None:
                readers.setdefault(held.value, []).append(settled)
    outputs = {held.value for held in plan.outputs}
    found: dict[Node, Settled] = {}
    for settled in plan.settled:
        node = settled.node
        behind = readers.get(node.result, [])
        if node.part or node.layer is None or len(behind) != 1 or node.result in outputs:
            continue
        after = behind[0]
        follows = after.node.layer is node.layer and after.node.part
        if follows and after.input == settled.results[0]:
            found[node] = after
    return found
