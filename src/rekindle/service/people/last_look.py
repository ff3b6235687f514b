"""One last look before messages go: which of their readers must not get them any more, in one query of two indexes.

Knows nothing of messages. It answers marketing as `queries.refusals` does, and many times as fast: every message asks it, so the query is
written out. Who stopped marketing has not asked to be left in the dark about an order.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection

from rekindle.service.people.contacts import MARKETING
from rekindle.service.people.digests import key_in_use, keyed
from rekindle.service.people.models import OPT_OUT, Person
from rekindle.service.people.queries import address_of

_CONSENT = """
SELECT asked.customer, c.granted, c.expires_at IS NOT NULL AND c.expires_at <= %s, EXISTS(
    SELECT 1 FROM people_suppression s WHERE s.channel = %s AND s.digest = asked.digest
    AND (s.recorded_at >= c.recorded_at OR c.basis = 'purchase')
)
FROM asked JOIN people_consent c ON c.customer_id = asked.customer AND c.channel = %s AND c.purpose = %s
ORDER BY c.basis <> 'purchase', c.recorded_at, c.granted DESC
"""
"""The word that counts comes last."""

_REACH = """
SELECT asked.customer FROM asked JOIN people_suppression s ON s.channel = %s AND s.digest = asked.digest AND s.reason <> %s
WHERE NOT EXISTS(
    SELECT 1 FROM people_consent c WHERE c.customer_id = asked.customer AND c.channel = %s AND c.granted AND c.basis <> 'purchase'
    AND c.recorded_at > s.recorded_at
)
"""


class LastLook:
    """The question of one instant, for as long as the ledger stays in use.

    Args:
        at: An aware instant; a consent that expired before it does not count.
    """

    def __init__(self, at: datetime) -> None:
        self._cursor, self._key = connection.cursor(), key_in_use()
        self._instant = connection.ops.adapt_datetimefield_value(at)

    def refusals(self, people: Mapping[str, Person], channel: str, service: bool) -> dict[str, str]:
        """Who of some people must not get a message now, and why.

        Args:
            people: Whom messages go to, by customer id.
            channel: The channel.
            service: Whether they are about these people's own orders, which need no consent but an address that works.
        """
        addresses = {customer: address_of(person, channel) for customer, person in people.items()}
        digests = {customer: keyed(self._key, address) if address else "" for customer, address in addresses.items()}
        return self._dead(digests, channel) if service else self._unwanted(digests, channel)

    def _unwanted(self, digests: Mapping[str, str], channel: str) -> dict[str, str]:
        rows = self._asked(_CONSENT, digests, self._instant, channel, channel, MARKETING)
        words = {customer: word for customer, *word in rows}
        reasons = {customer: _why(words.get(customer), digest) for customer, digest in digests.items()}
        return {customer: reason for customer, reason in reasons.items() if reason}

    def _dead(self, digests: Mapping[str, str], channel: str) -> dict[str, str]:
        dead = {customer for (customer,) in self._asked(_REACH, digests, channel, OPT_OUT, channel)}
        nowhere = {customer: "no address" for customer, digest in digests.items() if not digest}
        return dict.fromkeys(dead, "address suppressed") | nowhere

    def _asked(self, sql: str, digests: Mapping[str, str], *given: str | None) -> list[tuple[Any, ...]]:
        pairs = [text for pair in digests.items() for text in pair]
        self._cursor.execute(_about(sql, len(digests)), [*pairs, *given])
        found: list[tuple[Any, ...]] = self._cursor.fetchall()
        return found


@lru_cache
def _about(sql: str, people: int) -> str:
    """A question about so many people."""
    return f"WITH asked(customer, digest) AS (VALUES {', '.join(['(%s, %s)'] * people)}) {sql}"


def _why(word: list[object] | None, digest: str) -> str:
    if word is None:
        return "no consent"
    granted, expired, suppressed = word
    if not granted:
        return "opted out"
    if expired:
        return "consent expired"
    if not digest:
        return "no address"
    return "address suppressed" if suppressed else ""
