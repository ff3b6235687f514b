import pytest

from rekindle.deliver.links import Claim, Ring, sign, verify
from rekindle.errors import Refused

RING = Ring("unsubscribe", "b", {"a": b"old key", "b": b"new key"})
CLAIM = Claim("Ab3_.dEf9-Xy", "email-marketing")


def test_a_link_says_whom_and_which_list() -> None:
    assert verify(RING, sign(RING, CLAIM)) == CLAIM


def test_a_key_that_was_current_once_still_counts() -> None:
    assert verify(RING, sign(Ring("unsubscribe", "a", RING.keys), CLAIM)) == CLAIM


def test_any_byte_changed_and_nothing_holds() -> None:
    token = sign(RING, CLAIM)
    for place in range(len(token)):
        for bit in range(7):
            flipped = token[:place] + chr(ord(token[place]) ^ (1 << bit)) + token[place + 1 :]
            with pytest.raises(Refused):
                verify(RING, flipped)


@pytest.mark.parametrize("token", ["", "1", "~", "1.b.x~y~", "é" * 80, "1.z.Ab3~email-marketing~" + "A" * 43, "1.b." + "x" * 10_000])
def test_what_is_no_token_is_refused_in_one_way(token: str) -> None:
    with pytest.raises(Refused, match="not one of ours"):
        verify(RING, token)


def test_a_link_of_another_purpose_or_store_is_refused() -> None:
    for ring in (Ring("preferences", "b", RING.keys), Ring("unsubscribe", "b", {"b": b"other"})):
        with pytest.raises(Refused):
            verify(ring, sign(RING, CLAIM))


def test_cut_and_longer_tokens_are_refused() -> None:
    token = sign(RING, CLAIM)
    for changed in (token[:-1], token + "A", token + "\n", " " + token):
        with pytest.raises(Refused):
            verify(RING, changed)


def test_what_a_token_cannot_carry_is_not_signed() -> None:
    with pytest.raises(ValueError, match="cannot sign"):
        sign(RING, Claim("a~b", "email-marketing"))
