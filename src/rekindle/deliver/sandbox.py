"""Liquid that may come from anybody: what a template may use, how much it may do, and for how long.

Knows nothing of what templates are for. There is no way from a template to a file, the clock or another template.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import TextIO

from liquid import BoundTemplate, Environment, StrictUndefined
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.context import RenderContext
from liquid.exceptions import LiquidError, LoopIterationLimitError, ResourceLimitError
from liquid.expression import Expression
from liquid.token import TOKEN_CONTENT, TOKEN_ILLEGAL, TOKEN_OUTPUT, Token
from liquid.utils import ReadOnlyChainMap

SECONDS = 1.0
"""How long one template may take, by the monotonic clock."""

SOURCE_LIMIT, OUTPUT_LIMIT, NAMES_LIMIT, STEPS_LIMIT = 200_000, 200_000, 10_000, 1_000
"""Characters of a template, octets of what it becomes and of the names that it assigns; turns of all its loops together.

What a filter gives is as long as an output at most, and what it is told beside its input as long as a name."""

TAGS = frozenset({"if", "unless", "case", "for", "break", "continue", "assign", "capture", "comment", "#"})
FILTERS = frozenset(
    {
        "append", "at_least", "at_most", "capitalize", "ceil", "default", "divided_by", "downcase", "escape", "first", "floor", "join",
        "last", "minus", "modulo", "plus", "prepend", "round", "size", "strip", "times", "truncate", "truncatewords", "upcase",
        "url_encode",
    }
)
"""Filters whose work is bounded by what they are given."""

_PSEUDO_TAGS = {TOKEN_CONTENT, TOKEN_OUTPUT, TOKEN_ILLEGAL}


class Allowance:
    """What one filling of a template may still do."""

    __slots__ = ("_turns", "_until")

    def __init__(self) -> None:
        self._turns, self._until = STEPS_LIMIT, time.monotonic() + SECONDS

    def take_turn(self, token: Token) -> None:
        """Counts a turn of a loop.

        Raises:
            ResourceLimitError: There were too many, or the time is over.
        """
        self._turns -= 1
        if self._turns < 0:
            raise LoopIterationLimitError(f"its loops take more than {STEPS_LIMIT:,} turns", token=token)
        self.look_at_time(token)

    def look_at_time(self, token: Token | None = None) -> None:
        """Ends a filling that takes too long.

        Raises:
            ResourceLimitError: The time is over.
        """
        if time.monotonic() > self._until:
            raise ResourceLimitError(f"it takes longer than {SECONDS:g} s", token=token)


class Watched(RenderContext):
    """Liquid's context of one filling, without a way to the clock, and with an allowance."""

    __slots__ = ("left",)

    def __init__(
        self, template: BoundTemplate, *, globals: Mapping[str, object], left: Allowance | None = None  # noqa: A002  the library's name
    ) -> None:
        super().__init__(template, globals=globals)
        self.scope = ReadOnlyChainMap(self.locals, self.globals)  # the library's own chain has the clock in it
        self.left = left or Allowance()


class _Turn(BlockNode):
    """The inside of a loop, which counts each time that it is filled in."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        if isinstance(context, Watched):
            context.left.take_turn(self.token)
        return super().render_to_output(context, buffer)


class _CountedFor(ForNode):
    __slots__ = ()

    def __init__(self, token: Token, expression: LoopExpression, block: BlockNode, default: BlockNode | None = None) -> None:
        super().__init__(token, expression, _Turn(token, block.nodes), default)


class _CountedForTag(ForTag):
    node_class = _CountedFor


def _bounded(do: Callable[..., object]) -> Callable[..., object]:
    """A filter that looks at the time and refuses what is too long: many in a row could double a text or a number each."""
    wants_context = getattr(do, "with_context", False)

    @wraps(do)
    def bounded(left: object, *told: object, context: RenderContext, **named: object) -> object:
        if isinstance(context, Watched):
            context.left.look_at_time()
        if any(_length(one) > NAMES_LIMIT for one in told):
            raise ResourceLimitError(f"a filter is told more than {NAMES_LIMIT:,} characters", token=None)
        made = do(left, *told, **named, **({"context": context} if wants_context else {}))
        if _length(made) > OUTPUT_LIMIT:
            raise ResourceLimitError(f"a filter makes more than {OUTPUT_LIMIT:,} characters", token=None)
        return made

    bounded.with_context = True  # type: ignore[attr-defined]  # the library looks for this mark on a function
    return bounded


def _length(value: object) -> int:
    """Characters of a text; bits of a number, which are more than its digits."""
    return len(value) if isinstance(value, str) else value.bit_length() if isinstance(value, int) else 0


class _Template(BoundTemplate):
    context_class = Watched


class _Sandbox(Environment):
    template_class = _Template
    context_depth_limit = 10
    loop_iteration_limit = STEPS_LIMIT
    local_namespace_limit = NAMES_LIMIT
    output_stream_limit = OUTPUT_LIMIT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS | _PSEUDO_TAGS}
        self.filters = {name: _bounded(do) for name, do in self.filters.items() if name in FILTERS}
        self.add_tag(_CountedForTag)


_ESCAPING = _Sandbox(autoescape=True, undefined=StrictUndefined)
_PLAIN = _Sandbox(autoescape=False, undefined=StrictUndefined)
_NOWHERE = Watched(_PLAIN.from_string(""), globals={})
"""Where nodes are asked what they hold; no other template can be reached from there."""


def parse(source: str, *, escaping: bool) -> BoundTemplate:
    """A template ready to be filled in.

    Args:
        source: Liquid.
        escaping: Whether facts are escaped for HTML.

    Raises:
        LiquidError: It is too long, or uses what it must not, or is not Liquid.
    """
    if len(source) > SOURCE_LIMIT:
        raise ResourceLimitError(f"it is longer than {SOURCE_LIMIT:,} characters", token=None)
    template = (_ESCAPING if escaping else _PLAIN).from_string(source)
    for expression in _expressions(template):
        if isinstance(expression, RangeLiteral) and not _is_short(expression):
            raise LiquidError(f"the range {expression} is not of two numbers at most {STEPS_LIMIT:,} apart", token=expression.token)
    return template


def nodes_within(nodes: Iterable[Node]) -> Iterator[Node]:
    """Some nodes of a template and all within them."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        waiting.extend(node.children(_NOWHERE))
        yield node


def _expressions(template: BoundTemplate) -> Iterator[Expression]:
    """All expressions of a template, those within others too."""
    waiting = [expression for node in nodes_within(template.nodes) for expression in node.expressions()]
    while waiting:
        expression = waiting.pop()
        waiting.extend(expression.children())
        yield expression


def _is_short(expression: RangeLiteral) -> bool:
    """Whether a range is a small one, whatever the facts are: a loop may reverse it before it counts."""
    start, stop = expression.start, expression.stop
    return isinstance(start, IntegerLiteral) and isinstance(stop, IntegerLiteral) and stop.value - start.value < STEPS_LIMIT
