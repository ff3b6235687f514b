"""One last look before a message goes: whether its reader may still get it, in one query of two indexes.

Knows nothing of messages. It answers as `queries.refusals` and `reach.unreachable` do, for one person and thirty times as fast: every
single message asks it, so the query is written out.
"""

from datetime import datetime

from django.db import connection

from rekindle.service.people.contacts import MARKETING
from rekindle.service.people.digests import key_in_use, keyed
from rekindle.service.people.models import Person
from rekindle.service.people.queries import address_of
from rekindle.service.people.reach import OPT_OUT

_CONSENT = """
SELECT c.granted, c.expires_at IS NOT NULL AND c.expires_at <= %s, EXISTS(
    SELECT 1 FROM people_suppression s WHERE s.channel = %s AND s.digest = %s AND (s.recorded_at >= c.recorded_at OR c.basis = 'purchase')
)
FROM people_consent c WHERE c.customer_id = %s AND c.channel = %s AND c.purpose = %s
ORDER BY c.basis = 'purchase', c.recorded_at DESC, c.granted LIMIT 1
"""
_REACH = """
SELECT 1 FROM people_suppression s WHERE s.channel = %s AND s.digest = %s AND s.reason <> %s AND NOT EXISTS(
    SELECT 1 FROM people_consent c WHERE c.customer_id = %s AND c.channel = %s AND c.granted AND c.basis <> 'purchase'
    AND c.recorded_at > s.recorded_at
)
LIMIT 1
"""


class LastLook:
    """The question of one instant, for as long as the ledger stays in use.

    Args:
        at: An aware instant; a consent that expired before it does not count.
    """

    def __init__(self, at: datetime) -> None:
        self._cursor, self._key = connection.cursor(), key_in_use()
        self._instant = connection.ops.adapt_datetimefield_value(at)

    def refusal(self, person: Person, channel: str, service: bool) -> str:
        """Why a person must not get a message now; empty where they may.

        Args:
            person: Whom it goes to.
            channel: The channel.
            service: Whether it is about the person's own order, which needs no consent but an address that works.
        """
        address = address_of(person, channel)
        digest = keyed(self._key, address) if address else ""
        return self._dead(person, channel, digest) if service else self._unwanted(person, channel, digest)

    def _unwanted(self, person: Person, channel: str, digest: str) -> str:
        self._cursor.execute(_CONSENT, [self._instant, channel, digest, person.customer_id, channel, MARKETING])
        word = self._cursor.fetchone()
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

    def _dead(self, person: Person, channel: str, digest: str) -> str:
        if not digest:
            return "no address"
        self._cursor.execute(_REACH, [channel, digest, OPT_OUT, person.customer_id, channel])
        return "address suppressed" if self._cursor.fetchone() else ""
