"""How single values of a document are written: durations, names, shares, amounts, rules, and mappings whose keys are names.

Knows nothing of the documents that have them.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from rekindle.insight.expression import LENGTH, Expression, ExpressionError, parse
from rekindle.program.vocabulary import COLUMNS, VALUES

_UNITS = {"d": 1, "w": 7}
NAME, PROGRAM_NAME = "^[a-z][a-z0-9_]{0,39}$", "^[a-z][a-z0-9-]{0,39}$"
"""The forms of names: of everything but a program, and of a program."""


class Entry(BaseModel):
    """A part of a document: frozen, without unknown keys; by its keys in a document, by its attributes in code."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_by_name=True, validate_by_alias=True, use_attribute_docstrings=True
    )


def mistake(rule: str, why: str, remedy: str) -> PydanticCustomError:
    """A mistake that a validator found, with the rule it breaks and what to do about it."""
    return PydanticCustomError(rule, "{why}", {"why": why, "remedy": remedy})


def digest(entry: BaseModel) -> str:
    """A content hash: SHA-256 of a document as canonical JSON; comments and spacing do not count."""
    content = json.dumps(entry.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def _days(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        days = value
    elif isinstance(value, str) and re.fullmatch(r"[0-9]{1,4}[dw]", value):
        days = int(value[:-1]) * _UNITS[value[-1]]
    else:
        raise mistake("duration", f"'{value}' is not a duration", "Write days or weeks, such as 14d or 2w.")
    if not 0 <= days <= 3_660:
        raise mistake("duration", f"'{value}' is not between 0 and 3660 days", "Write a shorter duration.")
    return days


def _positive_days(value: object) -> int:
    if (days := _days(value)) == 0:
        raise mistake("duration", f"'{value}' is no time at all", "Write at least 1d.")
    return days


def _rule(value: object) -> Expression:
    if isinstance(value, Expression):
        return value
    if not isinstance(value, str):
        raise mistake("rule", f"'{value}' is not a rule", "Write a text such as \"orders >= 4\".")
    try:
        return parse(value, COLUMNS, VALUES)
    except ExpressionError as error:
        raise mistake("rule", error.cause, error.remedy) from error


def _clock(value: object) -> str:
    try:
        return time.fromisoformat(str(value)).strftime("%H:%M")
    except ValueError:
        raise mistake("time", f"'{value}' is not a time of day", "Write it as \"20:00\".") from None


def _amount(value: object) -> Decimal:
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        raise mistake("amount", f"'{value}' is not an amount", "Write units of the store's currency, such as 3.00.") from None
    if isinstance(value, bool) or not amount.is_finite() or not 0 <= amount < 10**9:
        raise mistake("amount", f"'{value}' is not an amount from 0 to 999,999,999", "Write units of the store's currency, such as 3.00.")
    return amount


_DURATION = {"type": "string", "pattern": "^[0-9]{1,4}[dw]$", "examples": ["14d", "2w"]}
_MONEY = {"type": "number", "minimum": 0, "description": "in units of the store's currency"}

Days = Annotated[int, PlainValidator(_days), WithJsonSchema(_DURATION)]
PositiveDays = Annotated[int, PlainValidator(_positive_days), WithJsonSchema(_DURATION)]
Rule = Annotated[
    Expression,
    PlainValidator(_rule),
    PlainSerializer(lambda rule: rule.text, return_type=str),
    WithJsonSchema({"type": "string", "maxLength": LENGTH, "examples": ["value_tier == 'high' and orders >= 4"]}),
]
Clock = Annotated[str, PlainValidator(_clock), WithJsonSchema({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"})]
Amount = Annotated[
    Decimal,
    PlainValidator(_amount),
    PlainSerializer(lambda amount: f"{amount.normalize():f}", return_type=str),
    WithJsonSchema(_MONEY),
]
Number = Annotated[float, Field(strict=True)]
Share = Annotated[Number, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1, le=1_000, strict=True)]
Version = Annotated[int, Field(ge=1, strict=True)]
Name = Annotated[str, Field(pattern=NAME)]
ProgramName = Annotated[str, Field(pattern=PROGRAM_NAME)]
Day = Annotated[date, Field(strict=False)]


class Named:
    """Makes a mapping of names to entries a tuple of entries that know their name, in the order of the document."""

    KEY: ClassVar[str] = "(name)"
    """The alias under which an entry finds its name; no document can state it, so that a key `name` is an unknown one."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401  Pydantic's protocol
        """Puts each key into its entry before the tuple is validated."""
        return core_schema.no_info_before_validator_function(self._spread, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """An object whose keys are names."""
        item = handler.resolve_ref_schema(handler(schema))["items"]
        return {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": item, "minProperties": 1}

    def _spread(self, value: object) -> object:
        if not isinstance(value, Mapping):
            if isinstance(value, tuple):
                return value
            raise mistake("value-bad", "a mapping of names is expected here", "Write name: {...}.")
        if not value:
            raise mistake("value-bad", "nothing is listed here", "Write at least one name: {...}.")
        return tuple({**body, self.KEY: name} if isinstance(body, Mapping) else body for name, body in value.items())
