"""What a piece of text means: an exact amount, an instant, a yes or no; as expressions.

Knows nothing of columns. Text that means nothing of the kind becomes null, and the rules decide what follows from that.
"""

import ibis
import ibis.expr.types as ir

_OFFSET = r" ?(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"
_AWARE = r":\d{2}(?:\.\d+)?" + _OFFSET
_YEAR_FIRST = r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_THOUSANDS = r"^-?\d{1,3}(,\d{3})+\.\d+$"
_CARD = r"\d{4}[ -]\d{6}[ -]\d{5}|\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}|\d{13,}"
_CARD_DIGITS = range(13, 20)
_MASK = "[card number]"
_YES = ("yes", "true", "1", "y", "t", "on", "subscribed", "granted")
_NO = ("no", "false", "0", "n", "f", "off", "unsubscribed", "not_subscribed", "denied")


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp"), "timestamp('UTC')"))
def _from_local(zone, moment):  # type: ignore[no-untyped-def]  # noqa: ANN001,ANN202  the signature stands in the decorator
    ...


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))
def _to_local(zone, moment):  # type: ignore[no-untyped-def]  # noqa: ANN001,ANN202  the signature stands in the decorator
    ...


@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), "timestamp"))
def _by_format(text, pattern):  # type: ignore[no-untyped-def]  # noqa: ANN001,ANN202  the signature stands in the decorator
    ...


@ibis.udf.scalar.builtin(name="regexp_extract_all", signature=(("string", "string"), "array<string>"))
def _matches(text, pattern):  # type: ignore[no-untyped-def]  # noqa: ANN001,ANN202  the signature stands in the decorator
    ...


def trimmed(text: ir.StringValue) -> ir.StringValue:
    """The text without blanks around it; null where nothing is left."""
    return text.strip().nullif("")


def decimal(text: ir.StringValue, point: str = ".") -> ir.DecimalValue:
    """An exact number in plain digits, up to twelve before the point and six after it.

    Args:
        text: `1234.5`, `-3` or, where a point follows, `1,234.50`.
        point: The character before the fraction; with `,` points group thousands.
    """
    if point == ",":
        plain = text.replace(".", "").replace(",", ".")
    else:
        plain = ibis.ifelse(text.re_search(_THOUSANDS), text.replace(",", ""), text)
    return plain.try_cast("decimal(18, 6)")


def minor(amount: ir.DecimalValue, digits: int) -> ir.IntegerValue:
    """An amount in units as minor units, half away from zero; null where it does not fit."""
    wide = amount.cast("decimal(32, 9)")  # DuckDB 1.4 keeps a product of narrow decimals narrow, and stops where it overflows, 2026-11
    return (wide * 10**digits).try_cast("int64")


def is_aware(text: ir.StringValue) -> ir.BooleanValue:
    """Whether a time states its offset from UTC."""
    return text.re_search(_AWARE)


def instant(text: ir.StringValue, zone: str, pattern: str | None = None) -> ir.TimestampValue:
    """A time as naive UTC.

    Args:
        text: Year first, such as `2026-11-22 08:00:00`, `2026-11-22T08:00:00Z` or `2026-11-22 08:00:00 +0100`; a day alone is its 00:00.
        zone: Where times without an offset are local.
        pattern: A `strptime` pattern that is tried first.
    """
    offset = text.re_replace(r" ?(?:Z|UTC|GMT)$", "+00:00").re_replace(r" ?([+-]\d{2}):?(\d{2})$", r"\1:\2")
    aware = offset.re_replace(r"([ T]\d{2}:\d{2})([+-])", r"\1:00\2").try_cast("timestamp('UTC')")
    local = text.try_cast("timestamp")
    read = ibis.cases((is_aware(text), aware), (text.re_search(_YEAR_FIRST), _from_local(zone, local)))
    if pattern:
        read = ibis.coalesce(_from_local(zone, _by_format(text, pattern)), read)
    return _to_local("UTC", read)


def local_day(moment: ir.TimestampValue, zone: str) -> ir.DateValue:
    """The day that a naive UTC instant falls on in a time zone."""
    return _to_local(zone, _from_local("UTC", moment)).date()


def flag(text: ir.StringValue) -> ir.BooleanValue:
    """Yes or no, in the words that exports use."""
    word = text.lower()
    return ibis.cases((word.isin(_YES), True), (word.isin(_NO), False))


def masked(text: ir.StringValue) -> ir.StringValue:
    """The text with card numbers masked: where one run of 13 to 19 digits passes Luhn's test, all such runs are."""
    found = _matches(text, _CARD).map(lambda run: run.re_replace("[ -]", "")).filter(_is_card)
    return ibis.ifelse(text.re_search(_CARD) & (found.length() > 0), text.re_replace(_CARD, _MASK), text)


def _is_card(digits: ir.StringValue) -> ir.BooleanValue:
    length = digits.length()

    def weighed(from_right: ir.IntegerValue) -> ir.IntegerValue:
        digit = digits.substr(length - 1 - from_right, 1).cast("int64")
        doubled = digit * 2 - ibis.ifelse(digit > 4, 9, 0)  # 5 doubled has two digits
        return ibis.ifelse(from_right % 2 == 1, doubled, digit)

    total = ibis.range(0, length).map(weighed).sums()
    return (length >= _CARD_DIGITS.start) & (length < _CARD_DIGITS.stop) & (total % 10 == 0)
