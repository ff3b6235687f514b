"""Questions to the ledger whose SQL is written once in a process: to write it anew each time takes far longer than the answer.

Knows nothing of what is asked. A question is a query of Django's with texts left open; the answer is what that query would answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet
from django.db.models.base import ModelState

SQLITE = "sqlite"
Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)


@dataclass(frozen=True, slots=True)
class _Written:
    """SQL for one kind of database.

    Args:
        sql: With a place for each parameter.
        places: For each, the number of the text that it takes, or what it always is.
        converters: What Django makes of a column's values, by its place.
    """

    sql: str
    places: tuple[tuple[int | None, Any], ...]
    converters: tuple[tuple[int, Sequence[Callable[..., Any]], Any], ...]

    def converted(self, row: Sequence[Any], held: BaseDatabaseWrapper) -> Sequence[Any]:
        """A row as Django would give it."""
        values = list(row)
        for at, converters, expression in self.converters:
            for convert in converters:
                values[at] = convert(values[at], expression, held)
        return values


class Prepared(Generic[Row]):
    """A question that is asked often.

    Args:
        question: Makes the query, a `values_list`, of texts.
        row: What a row's values become.
    """

    def __init__(self, question: Callable[..., QuerySet[Any, Any]], row: Callable[[Sequence[Any]], Row]) -> None:
        self._question, self._row = question, row
        self._written: dict[str, _Written] = {}

    def __call__(self, *texts: str) -> list[Row]:
        """The rows that the query has for these texts."""
        held = connections[DEFAULT_DB_ALIAS]
        written = self._written.get(held.vendor) or self._write(held.vendor)
        given = [fixed if at is None else texts[at] for at, fixed in written.places]
        return [self._row(written.converted(values, held)) for values in _asked(held, written.sql, given)]

    def first(self, *texts: str) -> Row | None:
        """The first row; None where there is none."""
        return next(iter(self(*texts)), None)

    def _write(self, vendor: str) -> _Written:
        marks = [f"\0{number}" for number in range(len(signature(self._question).parameters))]  # no text of a query holds a NUL
        compiler = self._question(*marks).query.get_compiler(DEFAULT_DB_ALIAS)
        sql, given = compiler.as_sql()
        places = tuple((marks.index(one), None) if one in marks else (None, one) for one in given)
        found = compiler.get_converters([expression for expression, _, _ in compiler.select])
        converters = tuple((at, made, expression) for at, (made, expression) in found.items())
        made = sql.replace("%s", "?") if vendor == SQLITE else sql
        return self._written.setdefault(vendor, _Written(made, places, converters))


def whole(model: type[Stored], question: Callable[[str], QuerySet[Stored]]) -> Prepared[Stored]:
    """A question that is answered with whole rows of a table."""
    names = columns(model)
    return Prepared(lambda text: question(text).values_list(*names), lambda row: stored(model, names, row))


def columns(model: type[Model]) -> list[str]:
    """Every column of a table, by the names that its rows have for them."""
    return [field.attname for field in model._meta.concrete_fields]


def stored(model: type[Stored], names: Sequence[str], values: Sequence[Any]) -> Stored:
    """A stored row as Django gives it, made as a pickled one is: without signals, and without a look at each column."""
    row, state = model.__new__(model), ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    vars(row).update(zip(names, values, strict=True), _state=state)
    return row


def _asked(held: BaseDatabaseWrapper, sql: str, given: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """What a database answers. Django's cursor of SQLite writes the text anew each time, which takes longer than the answer."""
    rows: Sequence[Sequence[Any]]
    if held.vendor == SQLITE:
        held.ensure_connection()
        with held.wrap_database_errors:
            rows = held.connection.execute(sql, given).fetchall()
    else:
        with held.cursor() as cursor:
            cursor.execute(sql, given)
            rows = cursor.fetchall()
    return rows
