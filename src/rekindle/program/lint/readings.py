"""What one reader gets to see of a template: its words in a row, with the line of each, for every branch.

Knows nothing of rules. Every branch is read once, with a few words before and after it; never every combination of branches.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence

from rekindle.program.lint.passages import BREAK, FACT, Choice, Element, Included, Node, Place, Said, Template

_AROUND = 80
_NODES_AROUND = 16
_INCLUDED_AT_MOST = 100
_WITHIN_AT_MOST = 5


class Reading:
    """Words in a row, as far as one reader may get them.

    Attributes:
        own: From where to where it is the branch's own; what is around was read before.
    """

    def __init__(self) -> None:
        self.own = (0, 0)
        self._parts: list[str] = []
        self._starts: list[int] = []
        self._places: list[Place] = []
        self._given: list[frozenset[str]] = []
        self._length = 0
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The words; a fact is `FACT`, the end of a paragraph is `BREAK`."""
        if self._text is None:
            self._text = "".join(self._parts)
        return self._text

    def add(self, node: Said, given: frozenset[str] = frozenset()) -> None:
        """Words at the end, and the facts that the branch goes by which they stand in."""
        self._parts.append(node.text)
        self._starts.append(self._length)
        self._places.append(node.place)
        self._given.append(given)
        self._length += len(node.text)

    def __len__(self) -> int:
        """Characters so far."""
        return self._length

    def place(self, at: int) -> Place:
        """Where a character stands in its file."""
        return self._places[max(0, bisect_right(self._starts, at) - 1)]

    def given(self, at: int) -> frozenset[str]:
        """The facts that all branches around a character go by."""
        return self._given[max(0, bisect_right(self._starts, at) - 1)]

    def holds(self, start: int, end: int) -> bool:
        """Whether something stands in what is the branch's own, or over the place where an empty branch is."""
        first, last = self.own
        return start < last and end > first or first == last and start < first < end

    def tail(self) -> list[Said]:
        """The last words, as a beginning for a branch."""
        found: list[Said] = []
        length = 0
        for part, place in zip(self._parts[: -_NODES_AROUND - 1 : -1], self._places[: -_NODES_AROUND - 1 : -1], strict=True):
            if length >= _AROUND:
                break
            found.append(Said(part if len(part) <= _AROUND else part[-_AROUND:].partition(" ")[2], place))
            length += len(part)
        return found[::-1]


def readings(nodes: Sequence[Node]) -> list[Reading]:
    """Every branch of a template read once: the first branches in a row, then each other one with what stands around it."""
    first = Reading()
    found = [first]
    _walk(nodes, first, found, frozenset())
    first.own = (0, len(first))
    return found


def _walk(nodes: Sequence[Node], reading: Reading, found: list[Reading], given: frozenset[str]) -> None:
    for index, node in enumerate(nodes):
        if isinstance(node, Said):
            reading.add(node, given)
        elif isinstance(node, Choice):
            before = reading.tail()
            for branch in node.branches[1:]:
                other = Reading()
                for one in before:
                    other.add(one)
                start = len(other)
                found.append(other)
                _walk(branch, other, found, given | node.given)
                other.own = (start, len(other))
                for one in _after(nodes, index + 1):
                    other.add(one)
            for branch in node.branches[:1]:
                _walk(branch, reading, found, given | node.given)


def _after(nodes: Sequence[Node], start: int) -> list[Said]:
    """The first words from a node on."""
    found: list[Said] = []
    length = 0
    for node in nodes[start : start + _NODES_AROUND]:
        words = [node] if isinstance(node, Said) else _after(node.branches[0], 0) if isinstance(node, Choice) and node.branches else []
        for one in words:
            found.append(Said(one.text if len(one.text) <= _AROUND else one.text[:_AROUND].rpartition(" ")[0], one.place))
            length += len(one.text)
        if length >= _AROUND:
            break
    return found


def whole(template: Template, all_: Mapping[str, Template]) -> tuple[Node, ...]:
    """A template's nodes with what it includes; a file that is not there, or that includes itself, says nothing.

    Args:
        template: Where to begin; `stage` in an include is never asked for here.
        all_: Every template by its path.
    """
    left = [_INCLUDED_AT_MOST]

    def opened(nodes: Sequence[Node], within: tuple[str, ...]) -> Iterator[Node]:
        for node in nodes:
            if isinstance(node, Included):
                other = all_.get(f"{node.name}.{template.file.rpartition('.')[2]}")
                if other is not None and other.file not in within and len(within) <= _WITHIN_AT_MOST and left[0] > 0:
                    left[0] -= 1
                    yield from opened(other.nodes, (*within, other.file))
            elif isinstance(node, Choice):
                yield Choice(tuple(tuple(opened(branch, within)) for branch in node.branches), node.given)
            else:
                yield node

    return tuple(opened(template.nodes, (template.file,)))


def longest(nodes: Sequence[Node], sample: Callable[[Said], str], size: Callable[[str], int] = len) -> str:
    """The longest text that a reader may get.

    Args:
        nodes: What is said.
        sample: What stands for a fact.
        size: What the length of a text is.
    """
    parts = []
    for node in nodes:
        if isinstance(node, Choice):
            parts.append(max((longest(branch, sample, size) for branch in node.branches), key=size, default=""))
        elif isinstance(node, Said):
            parts.append("\n\n" if node.text == BREAK else sample(node) if node.text == FACT else node.text)
    return "".join(parts)


def most(nodes: Sequence[Node], counts: Callable[[Said | Element], int]) -> int:
    """The most of something that one reader may get."""
    found = 0
    for node in nodes:
        if isinstance(node, Choice):
            found += max((most(branch, counts) for branch in node.branches), default=0)
        elif not isinstance(node, Included):
            found += counts(node)
    return found


def each(nodes: Sequence[Node]) -> Iterator[Said | Element]:
    """Everything that is said in any branch."""
    for node in nodes:
        if isinstance(node, Choice):
            for branch in node.branches:
                yield from each(branch)
        elif not isinstance(node, Included):
            yield node
