"""Personal codes: one for each customer, program, stage and episode, the same whenever asked for, and no way to guess another's."""

from collections import Counter
from math import sqrt

from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.service.config import configure

configure()

from rekindle.service.flow.codes import ALPHABET, LENGTH, code_for  # noqa: E402  Django must be configured before
from rekindle.service.outbox.models import touch_key  # noqa: E402  Django must be configured before

KEY = "5a" * 32
MANY = 40_000

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
holders = st.from_regex(r"[0-9a-f]{8}", fullmatch=True)
touches = st.tuples(names, holders, st.text("ab:|0 ", min_size=1, max_size=8), names)


def code(program: str, customer: str, episode: str, stage: str, key: str = KEY) -> str:
    return code_for(key, touch_key(program, customer, episode, stage))


@settings(max_examples=100, deadline=None)
@given(touches, touches)
def test_a_code_belongs_to_one_customer_program_stage_and_episode(one: tuple[str, str, str, str], other: tuple[str, str, str, str]) -> None:
    """Asked for again it is the same; where anything differs it is another, colons in an episode's id or not."""
    assert code(*one) == code(*one)
    assert (code(*one) == code(*other)) == (one == other)


def test_many_codes_are_all_different() -> None:
    codes = {code("win-back", f"{number:08x}", "o1", "tailor") for number in range(MANY)}
    assert len(codes) == MANY
    assert all(len(one) == LENGTH and set(one) <= set(ALPHABET) for one in codes)


def test_neighbours_tell_nothing() -> None:
    """Every sign of every place comes equally often, and a code agrees with the next customer's by chance alone: 1 place in 32."""
    codes = [code("win-back", f"{number:08x}", "o1", "tailor") for number in range(MANY)]
    expected = MANY / len(ALPHABET)
    for place in range(LENGTH):
        counts = Counter(one[place] for one in codes)
        assert max(abs(counts[sign] - expected) for sign in ALPHABET) < 5 * sqrt(expected)
    same = sum(a == b for one, other in zip(codes, codes[1:], strict=False) for a, b in zip(one, other, strict=True))
    pairs = LENGTH * (MANY - 1)
    assert abs(same - pairs / 32) < 5 * sqrt(pairs / 32)


def test_another_secret_gives_other_codes() -> None:
    both = [(code("p", f"{number:08x}", "e", "s"), code("p", f"{number:08x}", "e", "s", "5b" * 32)) for number in range(2_000)]
    assert not {one for one, _ in both} & {other for _, other in both}
