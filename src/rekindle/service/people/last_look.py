"""One last look before messages go: which of their readers must not get them any more, in one query that goes by indexes alone.

Knows nothing of how messages are written. It answers as `queries.refusals` does, and many times as fast: every message asks it, so the
query is written out. Who stopped marketing has not asked to be left in the dark about an order; who asked to be erased gets nothing at all.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection

from rekindle.decide.due import PAUSE
from rekindle.decide.wishes import TOPIC
from rekindle.insight.profile import PROFILING
from rekindle.service.people.contacts import ALL, MARKETING
from rekindle.service.people.digests import key_in_use, keyed
from rekindle.service.people.models import ERASED, OPT_OUT, Person
from rekindle.service.people.queries import address_of

TO_BE_ERASED, REDEEMED = "the customer asked to be erased", "its code was redeemed"

_LEAVING = "leaving AS (SELECT customer_id, everyone FROM privacy_receipt WHERE kind = 'erasure' AND done_at IS NULL)"
"""Erasures that were asked for and are not done."""

_CONSENT = """
SELECT asked.number, c.channel, c.purpose, c.granted, c.expires_at IS NOT NULL AND c.expires_at <= %s, c.channel <> 'all' AND EXISTS(
    SELECT 1 FROM people_suppression s WHERE s.channel = %s AND s.digest = asked.digest
    AND (s.recorded_at >= c.recorded_at OR c.basis = 'purchase')
), asked.customer IN (SELECT customer_id FROM leaving) OR EXISTS(SELECT 1 FROM leaving WHERE everyone), c.channel <> 'all' AND EXISTS(
    SELECT 1 FROM redemptions_coupon k WHERE k.customer_id = asked.customer AND k.program = asked.program AND k.episode = asked.episode
    AND k.redeemed > 0
)
FROM asked JOIN people_consent c ON c.customer_id = asked.customer AND c.channel IN (%s, 'all')
ORDER BY c.basis <> 'purchase', c.recorded_at, c.granted DESC
"""
"""The word that counts comes last."""

_REACH = """
SELECT asked.number, 'address suppressed' FROM asked
JOIN people_suppression s ON s.channel = %s AND s.digest = asked.digest AND s.reason NOT IN (%s, %s)
WHERE NOT EXISTS(
    SELECT 1 FROM people_consent c WHERE c.customer_id = asked.customer AND c.channel = %s AND c.granted AND c.basis <> 'purchase'
    AND c.recorded_at > s.recorded_at
)
UNION ALL SELECT asked.number, %s FROM asked
WHERE asked.customer IN (SELECT customer_id FROM leaving) OR EXISTS(SELECT 1 FROM leaving WHERE everyone)
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a message goes to.

    Args:
        person: Who.
        program: Whose message it is; empty for none.
        episode: The round of it, which ends when its code is redeemed.
    """

    person: Person
    program: str = ""
    episode: str = ""


class LastLook:
    """The question of one instant, for as long as the ledger stays in use.

    Args:
        at: An aware instant; what expired before it does not count.
        topics: Program to what its marketing is about.
    """

    def __init__(self, at: datetime, topics: Mapping[str, str]) -> None:
        self._cursor, self._key, self._topics = connection.cursor(), key_in_use(), topics
        self._instant = connection.ops.adapt_datetimefield_value(at)

    def refusals(self, readers: Mapping[int, Reader], channel: str, service: bool) -> dict[int, str]:
        """Which of some messages must not go now, and why.

        Args:
            readers: Whom they go to, by the numbers of the messages.
            channel: The channel.
            service: Whether they are about these people's own orders, which need no consent but an address that works.
        """
        addresses = {number: address_of(one.person, channel) for number, one in readers.items()}
        digests = {number: keyed(self._key, address) if address else "" for number, address in addresses.items()}
        asked = [(number, one.person.customer_id, digests[number], one.program, one.episode) for number, one in readers.items()]
        if service:
            nowhere = {number: "no address" for number, digest in digests.items() if not digest}
            return dict(self._asked(_REACH, asked, channel, OPT_OUT, ERASED, channel, TO_BE_ERASED)) | nowhere
        words: dict[int, dict[tuple[str, str], list[object]]] = {number: {} for number in readers}
        for number, where, purpose, *word in self._asked(_CONSENT, asked, self._instant, channel, channel):
            words[number][where, purpose] = word
        refused = {
            number: _why(words[number], channel, digests[number], self._topics.get(one.program)) for number, one in readers.items()
        }
        return {number: reason for number, reason in refused.items() if reason}

    def _asked(self, sql: str, asked: Collection[tuple[int | str, ...]], *given: str | None) -> list[tuple[Any, ...]]:
        about = [value for one in asked for value in one]
        self._cursor.execute(_about(sql, len(asked)), [*about, *given])
        found: list[tuple[Any, ...]] = self._cursor.fetchall()
        return found


@lru_cache
def _about(sql: str, messages: int) -> str:
    """A question about so many messages."""
    values = ", ".join(["(%s, %s, %s, %s, %s)"] * messages)
    return f"WITH asked(number, customer, digest, program, episode) AS (VALUES {values}), {_LEAVING} {sql}"


def _why(words: Mapping[tuple[str, str], list[object]], channel: str, digest: str, topic: str | None) -> str:
    word = words.get((channel, MARKETING))
    if word is None:
        return "no consent"
    granted, expired, suppressed, leaving, redeemed = word
    if not granted:
        return "opted out"
    if expired:
        return "consent expired"
    if not digest:
        return "no address"
    if suppressed:
        return "address suppressed"
    return TO_BE_ERASED if leaving else REDEEMED if redeemed else _wish(words, topic)


def _wish(words: Mapping[tuple[str, str], list[object]], topic: str | None) -> str:
    """What a customer asked for that a message would be against; empty for nothing."""
    paused, over, *_ = words.get((ALL, PAUSE), [False, True])
    if paused and not over:
        return "paused"
    if not words.get((ALL, PROFILING), [True])[0]:
        return "objected to profiling"
    return "topic refused" if not words.get((ALL, f"{TOPIC}{topic}"), [True])[0] else ""
