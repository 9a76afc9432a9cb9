"""What corresponds to what in a merge, for the checker, which shares no code with the solver."""

from __future__ import annotations

from .graph import Node, joined_position
from .layout import Axis, Fused, Joined, Term, Terms, rebuild, size_of

Content = frozenset[object]


class Image:
    """What a merge's result corresponds to in one input: found position by position, as authored.

    Attributes:
        index: Which input.
        joined: What the joined term is made of; None for other merges.
        whole: By what a result's term is made of: the input's term, where that has no inner order
            of the result's (it is repeated, or the joined axis has no parts).
        axes: By axis of the result, the input's.
    """

    def __init__(self, index: int) -> None:
        self.index, self.joined = index, frozenset[object]()
        self.whole: dict[Content, Term] = {}
        self.axes: dict[Axis, Term] = {}

    @classmethod
    def of(cls, node: Node, index: int, axes: Terms) -> Image | None:
        """The correspondence of one input; None where positions do not correspond."""
        image, result = cls(index), node.result.axes
        if len(axes) != len(result):
            return None
        for position, (term, own) in enumerate(zip(result, axes, strict=True)):
            here = term
            if position == joined_position(node):
                if isinstance(term, Joined):
                    here, image.joined = term.parts[index], content_of(term)
                else:
                    image.whole[content_of(term)] = own
                    continue
            elif size_of(own) == 1 and size_of(term) != 1:
                image.whole[content_of(term)] = own
                continue
            if not _pair(here, own, image.axes):
                return None
        return image

    def term(self, term: Term) -> Term:
        """The input's term for one of the result's, in the inner order that this has."""
        content = content_of(term)
        if content in self.whole:
            return self.whole[content]
        if content == self.joined and isinstance(term, Joined):
            term = term.parts[self.index]
        return rebuild(term, self.axes)


def _pair(a: Term, b: Term, found: dict[Axis, Term]) -> bool:
    """Match two terms leaf by leaf; False where they are not built alike."""
    if isinstance(a, Axis) and isinstance(b, Axis):
        found[a] = b
        return a.size == b.size
    if isinstance(a, Fused) and isinstance(b, Fused):
        inner, other = a.terms, b.terms
    elif isinstance(a, Joined) and isinstance(b, Joined):
        inner, other = a.parts, b.parts
    else:
        return False
    alike = len(inner) == len(other)
    return alike and all(_pair(x, y, found) for x, y in zip(inner, other, strict=True))


def content_of(term: Term) -> Content:
    """What a term is made of, whatever the order of what is fused in it."""
    if isinstance(term, Fused):
        return frozenset[object]().union(*map(content_of, term.terms))
    if isinstance(term, Joined):
        return frozenset((tuple(map(content_of, term.parts)),))
    return frozenset((term,))
