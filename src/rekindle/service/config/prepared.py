"""Statements to the ledger whose SQL is written once in a process: to write it anew each time takes far longer than the answer.

Knows nothing of what is asked. A question is a query of Django's with values left open; the answer is what that query would answer. A
change is an update of Django's in the same way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet
from django.db.models.base import ModelState
from django.db.models.sql import Query, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

SQLITE = "sqlite"
Value = str | int | datetime
Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)

_MARKED_NUMBER, _MARKED_INSTANT = -(2**62), datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Written:
    """SQL for one kind of database and of values.

    Args:
        sql: With a place for each parameter.
        places: For each, the number of the value that it takes, or what it always is.
        converters: What Django makes of a column's values, by its place.
    """

    sql: str
    places: tuple[tuple[int | None, Any], ...]
    converters: tuple[tuple[int, Sequence[Callable[..., Any]], Any], ...]

    def given(self, values: Sequence[Value], held: BaseDatabaseWrapper) -> list[Any]:
        """The parameters for some values."""
        stored = [_stored(value, held) for value in values]
        return [fixed if at is None else stored[at] for at, fixed in self.places]

    def converted(self, row: Sequence[Any], held: BaseDatabaseWrapper) -> Sequence[Any]:
        """A row as Django would give it."""
        values = list(row)
        for at, converters, expression in self.converters:
            for convert in converters:
                values[at] = convert(values[at], expression, held)
        return values


class _Kept:
    """What is written of a query, for each kind of database and of values, which are told apart by how many they are.

    Args:
        query: Makes it of values.
    """

    def __init__(self, query: Callable[..., Query]) -> None:
        self._query = query
        self._written: dict[tuple[str, int], _Written] = {}

    def of(self, values: Sequence[Value], held: BaseDatabaseWrapper) -> _Written:
        """What is written for some values."""
        key = held.vendor, len(values)
        return self._written.get(key) or self._written.setdefault(key, self._write(values, held))

    def _write(self, values: Sequence[Value], held: BaseDatabaseWrapper) -> _Written:
        marks = [_mark(number, value) for number, value in enumerate(values)]
        known = {_stored(mark, held): number for number, mark in enumerate(marks)}
        compiler = self._query(*marks).get_compiler(DEFAULT_DB_ALIAS)
        sql, given = compiler.as_sql()
        places = tuple((known[one], None) if one in known else (None, one) for one in given)
        return _Written(sql.replace("%s", "?") if held.vendor == SQLITE else sql, places, _converters(compiler))


class Prepared(Generic[Row]):
    """A question that is asked often.

    Args:
        question: Makes the query, a `values_list`, of texts, whole numbers and instants.
        row: What a row's values become.
    """

    def __init__(self, question: Callable[..., QuerySet[Any, Any]], row: Callable[[Sequence[Any]], Row]) -> None:
        self._kept, self._row = _Kept(lambda *values: question(*values).query), row

    def __call__(self, *values: Value) -> list[Row]:
        """The rows that the query has for these values."""
        held = connections[DEFAULT_DB_ALIAS]
        written = self._kept.of(values, held)
        return [self._row(written.converted(row, held)) for row in _asked(held, written.sql, written.given(values, held))]

    def first(self, *values: Value) -> Row | None:
        """The first row; None where there is none."""
        return next(iter(self(*values)), None)


class Change:
    """A change that is made often.

    Args:
        rows: Makes the query of the rows that are changed, of texts, whole numbers and instants.
        columns: What is written into them, of the same values.
    """

    def __init__(self, rows: Callable[..., QuerySet[Any, Any]], columns: Callable[..., Mapping[str, Any]]) -> None:
        def query(*values: Value) -> Query:
            update = cast(UpdateQuery, rows(*values).query.chain(UpdateQuery))
            update.add_update_values(dict(columns(*values)))
            return update

        self._kept = _Kept(query)

    def __call__(self, *values: Value) -> None:
        """Changes the rows that the query has for these values."""
        held = connections[DEFAULT_DB_ALIAS]
        written = self._kept.of(values, held)
        _asked(held, written.sql, written.given(values, held))


def whole(model: type[Stored], question: Callable[..., QuerySet[Stored]]) -> Prepared[Stored]:
    """A question that is answered with whole rows of a table."""
    names = columns(model)
    return Prepared(lambda *values: question(*values).values_list(*names), lambda row: stored(model, names, row))


def columns(model: type[Model]) -> list[str]:
    """Every column of a table, by the names that its rows have for them."""
    return [field.attname for field in model._meta.concrete_fields]


def stored(model: type[Stored], names: Sequence[str], values: Sequence[Any]) -> Stored:
    """A stored row as Django gives it, made as a pickled one is: without signals, and without a look at each column."""
    row, state = model.__new__(model), ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    vars(row).update(zip(names, values, strict=True), _state=state)
    return row


def _mark(number: int, value: Value) -> Value:
    """What stands for a value: of its kind, and nothing that a query holds."""
    if isinstance(value, datetime):
        return _MARKED_INSTANT + timedelta(microseconds=number)
    return f"\0{number}" if isinstance(value, str) else _MARKED_NUMBER - number


def _stored(value: Value, held: BaseDatabaseWrapper) -> Value:
    return cast(Value, held.ops.adapt_datetimefield_value(value)) if isinstance(value, datetime) else value


def _converters(compiler: SQLCompiler) -> tuple[tuple[int, Sequence[Callable[..., Any]], Any], ...]:
    found = compiler.get_converters([expression for expression, _, _ in compiler.select or ()])
    return tuple((at, made, expression) for at, (made, expression) in found.items())


def _asked(held: BaseDatabaseWrapper, sql: str, given: Sequence[Any]) -> Sequence[Sequence[Any]]:
    """What a database answers; nothing, to a change. Django's cursor of SQLite writes the text anew, which takes longer than the answer."""
    if held.vendor == SQLITE:
        held.ensure_connection()
        with held.wrap_database_errors:
            rows: Sequence[Sequence[Any]] = held.connection.execute(sql, given).fetchall()
        return rows
    with held.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.fetchall() if cursor.description else []
