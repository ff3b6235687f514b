"""Who the customers pretend to be: made-up names, addresses at example domains, phones, zones and consent.

Knows nothing of behaviour. No real person is meant: mail.example can receive nothing (RFC 2606), and the phones are of
the five ranges of 10,000 numbers that France's regulator keeps for fiction, so that worlds over 50,000 customers repeat some.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rekindle.simulate.chance import Chance, Floats, Ints
from rekindle.simulate.population import Population

ZONES: tuple[tuple[str, str, str, float], ...] = (
    ("Europe/Berlin", "DE", "de", 0.34),
    ("Europe/Paris", "FR", "fr", 0.20),
    ("Europe/London", "GB", "en", 0.16),
    ("Europe/Amsterdam", "NL", "nl", 0.10),
    ("Europe/Lisbon", "PT", "pt", 0.08),
    ("Europe/Helsinki", "FI", "fi", 0.07),
    ("America/New_York", "US", "en", 0.05),
)
"""Time zone, country, language, share of customers; assumed."""

def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words(
    "Ada Alba Anna Arun Bela Carla Chidi Clara Dario Elif Emil Enzo Erik Farah Femi Finn Freya Greta Hana Hugo Ida Ines Ivo Jana Joao "
    "Jonas Kaisa Kofi Lars Lea Lena Liam Luca Maja Marta Mats Mei Milo Mina Nadia Nils Noor Nora Olga Omar Otto Pia Rafa Rosa Ruben "
    "Sami Sara Sofia Tariq Tess Timo Vera Viktor Yara Zoe"
)
_LAST = _words(
    "Adler Almeida Arslan Aubert Bakker Baptista Becker Berg Blanc Brandt Castro Costa Dekker Dubois Eriksen Fabre Faria Fischer Fontaine "
    "Garnier Gruber Haas Hansen Hart Heikkinen Hofer Jansen Kaya Keller Klein Koskinen Kruger Lambert Lang Lindholm Lopes Martin Mensah "
    "Meyer Moreau Mulder Nieminen Novak Okafor Oliveira Peeters Perrin Pinto Renard Richter Roche Salo Santos Schmitt Silva Sommer Vidal "
    "Virtanen Visser Vogel Wagner Walsh Weber Wood Young Zimmer"
)
_PHONES = ("19900", "26191", "35301", "46571", "53649")
_DOMAINS = ("mail.example", "post.example", "inbox.example")


def shares() -> Floats:
    """Share of customers in each time zone."""
    return np.array([share for _, _, _, share in ZONES])


def customers(population: Population, first_seen: Ints) -> pa.Table:
    """The customers as facts: number, first seen (seconds since 1970), country."""
    return pa.table(
        {
            "customer": np.arange(population.size),
            "first_seen_at": first_seen,
            "country": _taken([country for _, country, _, _ in ZONES], population.zone),
        }
    )


def contacts(population: Population, first_seen: Ints, chance: Chance) -> pa.Table:
    """The contacts as facts; `consent_at` in seconds since 1970."""
    size, number = population.size, np.arange(population.size)
    first = _taken(_FIRST, chance.stream("first-names").integers(0, len(_FIRST), size))
    last = _taken(_LAST, chance.stream("last-names").integers(0, len(_LAST), size))
    domain = _taken(list(_DOMAINS), chance.stream("domains").integers(0, len(_DOMAINS), size))
    local = pc.binary_join_element_wise(pc.utf8_lower(first), pc.utf8_lower(last), pc.cast(pa.array(number), pa.string()), ".")
    line = number * 7919 % (len(_PHONES) * 10_000)
    digits = pc.utf8_lpad(pc.cast(pa.array(line % 10_000), pa.string()), 4, "0")
    phone = pc.binary_join_element_wise("+33", _taken(list(_PHONES), line // 10_000), digits, "")
    owned = pa.array(chance.stream("phones").random(size) < 0.6)
    born = pa.array(chance.stream("birthdays").integers(-12_000, 13_000, size).astype(np.int32)).cast(pa.date32())
    told = pa.array(chance.stream("birthdays-told").random(size) < 0.5)
    return pa.table(
        {
            "customer": number,
            "email": pc.binary_join_element_wise(local, domain, "@"),
            "phone": pc.if_else(owned, phone, None),
            "first_name": first,
            "last_name": last,
            "locale": _taken([language for _, _, language, _ in ZONES], population.zone),
            "timezone": _taken([zone for zone, _, _, _ in ZONES], population.zone),
            "birthday": pc.if_else(told, born, None),
            "email_consent": population.email_consent,
            "sms_consent": population.sms_consent,
            "consent_at": first_seen,
            "consent_source": pa.repeat("checkout", size),
        }
    )


def _taken(words: list[str], numbers: Ints) -> pa.Array:
    return pa.array(words).take(pa.array(numbers))
