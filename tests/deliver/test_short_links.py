import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.deliver.links import Ring
from rekindle.deliver.short_links import Link, expand, shorten
from rekindle.errors import Refused

KEYS = {"a": b"k" * 32, "b": b"l" * 32}
RING = Ring("clicks", "b", KEYS)
TOUCHES = st.integers(0, 2**48 - 1)
DESTINATIONS = st.integers(0, 2**32 - 1)


@settings(max_examples=200)
@given(TOUCHES, DESTINATIONS)
def test_a_token_says_what_it_was_made_of_and_is_short(touch: int, destination: int) -> None:
    token = shorten(RING, Link(touch, destination))
    assert expand(RING, token) == Link(touch, destination)
    assert len(token) == 24
    assert token.isascii()


@settings(max_examples=200)
@given(TOUCHES, DESTINATIONS, st.data())
def test_no_other_spelling_of_a_token_is_taken(touch: int, destination: int, data: st.DataObject) -> None:
    token = shorten(RING, Link(touch, destination))
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda char: char != token[at]))
    with pytest.raises(Refused, match="not one of ours"):
        expand(RING, token[:at] + other + token[at + 1 :])


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_a_text_is_not_a_token(text: str) -> None:
    with pytest.raises(Refused, match="not one of ours"):
        expand(RING, text)


def test_links_of_an_older_key_still_work_and_those_of_a_removed_one_do_not() -> None:
    old = shorten(Ring("clicks", "a", KEYS), Link(1, 2))
    assert expand(RING, old) == Link(1, 2)
    with pytest.raises(Refused):
        expand(Ring("clicks", "b", {"b": KEYS["b"]}), old)


def test_neighbours_have_nothing_in_common() -> None:
    first, second = (shorten(RING, Link(number, 1))[2:] for number in (1, 2))
    assert sum(one == two for one, two in zip(first, second, strict=True)) < 8


@pytest.mark.parametrize("link", [Link(-1, 0), Link(2**48, 0), Link(0, 2**32)])
def test_a_number_that_does_not_fit_is_refused(link: Link) -> None:
    with pytest.raises(ValueError, match="cannot shorten"):
        shorten(RING, link)
