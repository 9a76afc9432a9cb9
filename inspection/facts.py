"""The facts of a file as JSON has them."""

from __future__ import annotations

from typing import Any

from ..ir.model import Fact, Facts


def facts_record(facts: Facts) -> dict[str, Any]:
    """Each with its value, what said it (`user`, `file`, `inferred`, `unknown`), the evidence."""
    return {
        "era": {**_fact(facts.era), "version": facts.version.value},
        "backend": _fact(facts.backend),
        "ordering": _fact(facts.ordering),
    }


def _fact(fact: Fact) -> dict[str, Any]:
    return {"value": fact.value, "source": fact.trust, "evidence": fact.evidence}
