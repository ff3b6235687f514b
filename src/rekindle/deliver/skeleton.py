"""A template made ready to be filled in many times: what never changes is written down once, what each message decides is left open.

Knows nothing of facts and mail. It says what Liquid would: plain names and comparisons it looks at itself, all else it asks of Liquid.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from liquid import BoundTemplate, StrictUndefined
from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import BooleanExpression, FilteredExpression, Path
from liquid.builtin.expressions import logical as logic
from liquid.builtin.expressions.primitive import FalseLiteral, IntegerLiteral, StringLiteral, TrueLiteral
from liquid.builtin.output import OutputNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.for_tag import ForLoop, ForNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.exceptions import LiquidError, LiquidInterrupt, LiquidSyntaxError, OutputStreamLimitError, UndefinedError
from liquid.expression import Expression
from liquid.stringify import to_liquid_string

from rekindle.deliver.sandbox import OUTPUT_LIMIT, Allowance, Watched, nodes_within

Piece = TypeVar("Piece", str, bytes)
Said = Mapping[str, object]

_REMEMBERED = 1_024
"""Facts whose written form a skeleton keeps: a shop's are the same in every message."""

_COMPARE: Mapping[type, Callable[..., bool]] = {
    logic.EqExpression: operator.eq, logic.NeExpression: operator.ne, logic.LtExpression: operator.lt, logic.GtExpression: operator.gt,
    logic.LeExpression: operator.le, logic.GeExpression: operator.ge,
}  # fmt: skip
_Comparison = (
    logic.EqExpression | logic.NeExpression | logic.LtExpression | logic.GtExpression | logic.LeExpression | logic.GeExpression
)

_SAYING = (ContentNode, OutputNode, CommentNode, IfNode, CaseNode, BlockNode, ConditionalBlockNode, MultiExpressionBlockNode)
"""What changes no name and ends no loop."""

_OF_A_TURN = frozenset({"first", "last", "index", "index0", "length"})
_ORDERED = StringLiteral | IntegerLiteral
_ANY = _ORDERED | TrueLiteral | FalseLiteral


class _Filling:
    """One filling: the facts, what it may still do, and Liquid's own context once it is asked for something."""

    __slots__ = ("_context", "left", "said", "template")

    def __init__(self, template: BoundTemplate, said: Said, left: Allowance) -> None:
        self.template, self.said, self.left = template, said, left
        self._context: Watched | None = None

    @property
    def context(self) -> Watched:
        if self._context is None:
            self._context = Watched(self.template, globals=self.said, left=self.left)
        return self._context


_Read = Callable[[Said], object]
_Test = Callable[[_Filling], bool]
_Step = Callable[[_Filling, list[Piece]], None]
_Steps = tuple[Piece | _Step[Piece], ...]


@dataclass(frozen=True, slots=True)
class Skeleton(Generic[Piece]):
    """A template ready to be filled in.

    Args:
        template: As Liquid has parsed it.
        steps: What is written, in order: a piece, or what decides on pieces.
    """

    template: BoundTemplate
    steps: _Steps[Piece]


def prepare(template: BoundTemplate, written: Callable[[str], Piece]) -> Skeleton[Piece]:
    """The skeleton of a template.

    Args:
        template: Parsed by the sandbox.
        written: How a text is written down, whatever stands before and after it.

    Raises:
        LiquidError: Its conditions or blocks are too many within one another.
    """
    assigned = frozenset(str(name) for node in nodes_within(template.nodes) for name in node.template_scope())
    try:
        return Skeleton(template, _Preparing(written, template.env.autoescape, assigned).steps(template.nodes))
    except RecursionError as error:
        raise LiquidError("it is too deep", token=None) from error


def fill(skeleton: Skeleton[Piece], said: Said) -> list[Piece]:
    """The pieces of a template filled in; joined, they are the whole.

    Args:
        skeleton: The template.
        said: What every name stands for: text, whole numbers, truth values, None, and tuples of them.

    Raises:
        LiquidError: A name stands for nothing, or the template does more than it may.
    """
    pieces: list[Piece] = []
    try:
        _follow(skeleton.steps, _Filling(skeleton.template, said, Allowance()), pieces)
    except KeyError as error:
        raise UndefinedError(f"'{error.args[0]}' is undefined", token=None) from error
    except LiquidInterrupt as error:
        raise LiquidSyntaxError(f"unexpected '{error}'", token=None) from error
    except (ArithmeticError, ValueError, RecursionError) as error:
        raise LiquidError(f"it cannot be worked out: {error}", token=None) from error
    if sum(map(len, pieces)) > OUTPUT_LIMIT:
        raise OutputStreamLimitError(f"it makes more than {OUTPUT_LIMIT:,} characters", token=None)
    return pieces


def _follow(steps: _Steps[Piece], filling: _Filling, pieces: list[Piece]) -> None:
    put = pieces.append
    for step in steps:
        if callable(step):
            step(filling, pieces)
        else:
            put(step)


class _Preparing(Generic[Piece]):
    """Turns nodes into steps and conditions into tests."""

    def __init__(self, written: Callable[[str], Piece], escaping: bool, assigned: frozenset[str]) -> None:
        self._written: Callable[[str], Piece] = written
        self._assigned = assigned
        self._in_loop = False

        def fact(value: object) -> Piece:
            if type(value) is str and not escaping:
                return written(value)
            return written(str(to_liquid_string(value, escaping)))  # plain text: the methods of escaped text are slow

        self._fact: Callable[[object], Piece] = lru_cache(_REMEMBERED, typed=True)(fact) if escaping else fact

    def steps(self, nodes: Sequence[Node]) -> _Steps[Piece]:
        return tuple(step for node in nodes for step in self._steps_of(node))

    def _steps_of(self, node: Node) -> _Steps[Piece]:
        """The steps of one node: plain ones if they can be, else Liquid is asked."""
        if isinstance(node, ContentNode):
            return (self._written(node.text),) if node.text else ()
        if isinstance(node, CommentNode):
            return ()
        if isinstance(node, OutputNode) and (read := self._output(node.expression)):
            return (self._hole(read),)
        if isinstance(node, IfNode):
            return (self._branch(node),)
        if isinstance(node, CaseNode) and (choice := self._choice(node)):
            return (choice,)
        if isinstance(node, ForNode) and (loop := self._loop(node)):
            return (loop,)
        return (self._asked(node),)

    def _block(self, block: BlockNode | None) -> _Steps[Piece]:
        """Liquid writes nothing where all is white space, which it knows of each block."""
        if block is None:
            return ()
        return (self._asked(block),) if block.blank else self.steps(block.nodes)

    def _asked(self, node: Node) -> _Step[Piece]:
        def step(filling: _Filling, pieces: list[Piece]) -> None:
            buffer = filling.context.get_buffer()
            node.render(filling.context, buffer)
            pieces.append(self._written(buffer.getvalue()))

        return step

    def _hole(self, read: _Read) -> _Step[Piece]:
        fact = self._fact

        def step(filling: _Filling, pieces: list[Piece]) -> None:
            pieces.append(fact(read(filling.said)))

        return step

    def _branch(self, node: IfNode) -> _Step[Piece]:
        """The steps after the first condition that holds."""
        ways = [(self._test(node.condition), self._block(node.consequence))]
        ways += [(self._test(other.expression), self._block(other.block)) for other in node.alternatives]
        otherwise = self._block(node.default)

        def step(filling: _Filling, pieces: list[Piece]) -> None:
            for test, steps in ways:
                if test(filling):
                    return _follow(steps, filling, pieces)
            return _follow(otherwise, filling, pieces) if otherwise else None

        return step

    def _choice(self, node: CaseNode) -> _Step[Piece] | None:
        """A case over a plain name with texts, each named once and the rest last; None for any other."""
        read = self._plain(node.expression)
        whens = [block for block in node.blocks if isinstance(block, MultiExpressionBlockNode)]
        rest = [block for block in node.blocks[len(whens) :] if isinstance(block, BlockNode)]
        texts = [(one.value, when.block) for when in whens for one in when.expression.expressions if isinstance(one, StringLiteral)]
        named = sum(len(when.expression.expressions) for when in whens)
        if read is None or len(whens) + len(rest) < len(node.blocks) or len(rest) > 1 or len(dict(texts)) < named:
            return None
        ways = {text: self._block(block) for text, block in texts}
        otherwise = self._block(rest[0]) if rest else ()

        def step(filling: _Filling, pieces: list[Piece]) -> None:
            value = read(filling.said)
            _follow(ways.get(value, otherwise) if isinstance(value, str) else otherwise, filling, pieces)

        return step

    def _loop(self, node: ForNode) -> _Step[Piece] | None:
        """A loop over all of a plain name, which does nothing but say; None for any other."""
        expression = node.expression
        read, limits = self._plain(expression.iterable), (expression.limit, expression.offset, expression.cols)
        only_says = all(isinstance(one, _SAYING) for one in nodes_within(node.block.nodes))
        if read is None or node.default or expression.reversed or any(limits) or node.block.blank or not only_says:
            return None
        inner = copy(self)
        inner._in_loop = True
        steps, asked, item_name = inner.steps(node.block.nodes), self._asked(node), expression.identifier
        outside = StrictUndefined("parentloop", token=None)

        def step(filling: _Filling, pieces: list[Piece]) -> None:
            items = read(filling.said)
            if not isinstance(items, tuple):
                return asked(filling, pieces)
            turn = ForLoop(f"{item_name}-{expression.iterable}", iter(items), len(items), outside)
            said = {**filling.said, "forloop": turn}
            within = _Filling(filling.template, said, filling.left)
            for item in turn:
                said[item_name] = item
                filling.left.take_turn(node.token)
                _follow(steps, within, pieces)
            return None

        return step

    def _output(self, expression: Expression) -> _Read | None:
        """How a plain name that is written as it is, or whose first item is, is read."""
        if not isinstance(expression, FilteredExpression):
            return None
        read = self._plain(expression.left)
        if read is None or not expression.filters:
            return read
        only_first = [(one.name, one.args) for one in expression.filters] == [("first", [])]
        return (lambda said: _first(read(said))) if only_first else None

    def _plain(self, expression: Expression) -> _Read | None:
        """How a name that the template does not assign, or what a loop knows of its turn, is read; None for all else."""
        if not isinstance(expression, Path):
            return None
        match expression.path:
            case [str(name)] if name not in self._assigned:
                return operator.itemgetter(name)
            case ["forloop", str(what)] if self._in_loop and what in _OF_A_TURN:
                return lambda said: getattr(said["forloop"], what)
        return None

    def _test(self, expression: Expression) -> _Test:
        if isinstance(expression, BooleanExpression):
            return self._test(expression.expression)
        if isinstance(expression, logic.LogicalAndExpression):
            left, right = self._test(expression.left), self._test(expression.right)
            return lambda filling: left(filling) and right(filling)
        if isinstance(expression, logic.LogicalOrExpression):
            left, right = self._test(expression.left), self._test(expression.right)
            return lambda filling: left(filling) or right(filling)
        if read := self._plain(expression):
            return lambda filling: (held := read(filling.said)) is not None and held is not False
        if isinstance(expression, _Comparison):
            return self._comparison(expression)
        return _liquid_test(expression)

    def _comparison(self, expression: _Comparison) -> _Test:
        """A plain name beside a literal is compared here where it is of the literal's kind; all else is Liquid's to compare."""
        read, other, asked = self._plain(expression.left), expression.right, _liquid_test(expression)
        equality = isinstance(expression, logic.EqExpression | logic.NeExpression)
        if read is None or not isinstance(other, _ANY if equality else _ORDERED):
            return asked
        compare, value, kind = _COMPARE[type(expression)], other.value, type(other.value)

        def test(filling: _Filling) -> bool:
            held = read(filling.said)
            return compare(held, value) if type(held) is kind else asked(filling)

        return test


def _first(value: object) -> object:
    return value[0] if isinstance(value, tuple) and value else None


def _liquid_test(expression: Expression) -> _Test:
    return lambda filling: logic.is_truthy(expression.evaluate(filling.context))
