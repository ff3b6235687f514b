"""How a file's columns map to ours: the mapping file, checked.

Knows nothing of what stands in the columns.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rekindle import money
from rekindle.errors import BadData, RekindleError
from rekindle.ingest.identity import SHOP
from rekindle.ingest.kinds import KINDS

_HELP = "docs/import.md shows a mapping file."


def _known_zone(name: str | None) -> str | None:
    if name is not None and name not in available_timezones():
        raise ValueError(f"'{name}' is not a time zone; write an IANA name such as Europe/Berlin")
    return name


def _known_currency(code: str | None) -> str | None:
    try:
        return code if code is None else (money.exponent(code), code)[1]
    except RekindleError as error:
        raise ValueError(str(error)) from error


class Source(BaseModel):
    """One kind of fact in one file, or in several of the same columns.

    Args:
        kind: A key of `KINDS`.
        file: Name or pattern (`orders-*.csv`) of the files it is in; without it, every file of the call.
        columns: Our column name to the file's.
        currency: Of the amounts, where no column says; the store's by default.
        timezone: Where times without an offset are local; the store's by default.
        source: Where the ids are valid; customers of different sources are different customers.
        decimal: The character before a fraction.
        time_format: A `strptime` pattern for times that do not begin with the year.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal[tuple(KINDS)]  # type: ignore[valid-type]  # the kinds are stated once, in kinds.py
    file: str | None = None
    columns: dict[str, str]
    currency: Annotated[str | None, AfterValidator(_known_currency)] = None
    timezone: Annotated[str | None, AfterValidator(_known_zone)] = None
    source: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")] = SHOP
    decimal: Literal[".", ","] = "."
    time_format: str | None = None

    @model_validator(mode="after")
    def _columns_are_ours(self) -> Self:
        kind = KINDS[self.kind]
        for name in self.columns:
            if name not in kind.fields:
                raise ValueError(f"{self.kind} have no column '{name}'{_nearest(name, kind.fields)}")
        for choice in kind.needs:
            if not any(name in self.columns for name in choice):
                raise ValueError(f"{self.kind} need the column {' or '.join(choice)}")
        return self

    def takes(self, name: str) -> bool:
        """Whether a file of this name is one of the source's."""
        return self.file is None or fnmatch(name, Path(self.file).name)


class Mapping(BaseModel):
    """A mapping file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: Annotated[tuple[Source, ...], Field(min_length=1)]


def load(path: Path) -> Mapping:
    """Reads a mapping file.

    Raises:
        BadData: The file is absent, is not YAML, or says something that cannot be used.
    """
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadData(f"cannot read the mapping file {path}: {error.strerror}", "Check the path given with --map.") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise BadData(f"{path} is not valid YAML: {str(error).splitlines()[0]}", _HELP) from error
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadData(f"{path}: {where}: {first['msg'].removeprefix('Value error, ')}", _HELP) from error


def require_columns(source: Source, present: tuple[str, ...], file: str) -> None:
    """Checks that a file has the columns that a source names.

    Raises:
        BadData: It does not; the nearest name is suggested.
    """
    absent = [(ours, theirs) for ours, theirs in source.columns.items() if theirs not in present]
    if absent:
        ours, theirs = absent[0]
        more = f" (and {len(absent) - 1} more)" if len(absent) > 1 else ""
        raise BadData(
            f"{file} has no column '{theirs}' for {ours}{more}{_nearest(theirs, present)}",
            f"Name one of its columns in the mapping: {', '.join(present)}.",
        )


def _nearest(name: str, names: Iterable[str]) -> str:
    by_lower = {one.lower(): one for one in names}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return f"; the nearest is '{by_lower[found[0]]}'" if found else ""
