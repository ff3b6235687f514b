from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.deliver.quoted_printable import decoded, encoded

TEXT = st.text(st.characters(exclude_characters="\x00\r", exclude_categories=("Cs",)), max_size=300) | st.text("ab= .\t\né", max_size=300)


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXT, max_size=4))
def test_pieces_written_apart_are_the_whole(pieces: list[str]) -> None:
    lines = b"".join(map(encoded, pieces))
    assert decoded(lines) == "".join(pieces)
    assert all(len(line) <= 76 for line in lines.split(b"\r\n"))
    assert b"\n" not in lines.replace(b"\r\n", b"")
    assert all(32 <= octet < 127 or octet in b"\r\n\t" for octet in lines)
    assert not any(line.endswith((b" ", b"\t")) for line in lines.split(b"\r\n"))


def test_line_breaks_are_of_one_kind_and_what_is_no_character_is_a_question_mark() -> None:
    assert decoded(encoded("a\rb\r\nc\x00\ud800")) == "a\nb\nc?"


def test_plain_text_of_every_length_and_end_is_a_line_that_anything_may_follow() -> None:
    for text in (f"{first}{'x' * size}{last}" for size in range(160) for first in ("", ".", " ") for last in ("", " ", ".")):
        lines = encoded(text)
        assert (decoded(lines), lines[-2:]) == (text, b"\r\n" if text else b"")
        assert all(len(line) <= 76 and not line.endswith(b" ") for line in lines.split(b"\r\n"))
