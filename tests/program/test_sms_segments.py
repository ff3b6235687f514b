"""SMS segments by the rules of 3GPP TS 23.038 and 23.040."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.program.sms_segments import Segments, foreign, segments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments("GSM-7", 0, 0)),
        ("a", Segments("GSM-7", 1, 1)),
        ("a" * 160, Segments("GSM-7", 160, 1)),
        ("a" * 161, Segments("GSM-7", 161, 2)),
        ("a" * 306, Segments("GSM-7", 306, 2)),
        ("a" * 307, Segments("GSM-7", 307, 3)),
        ("ä" * 160, Segments("GSM-7", 160, 1)),
        ("€" * 80, Segments("GSM-7", 160, 1)),
        ("€" * 81, Segments("GSM-7", 162, 2)),
        ("a" * 152 + "€" + "a" * 152, Segments("GSM-7", 306, 3)),
        ("a" * 153 + "€" + "a" * 151, Segments("GSM-7", 306, 2)),
        ("ç", Segments("UCS-2", 1, 1)),
        ("ç" * 70, Segments("UCS-2", 70, 1)),
        ("ç" * 71, Segments("UCS-2", 71, 2)),
        ("ç" * 134, Segments("UCS-2", 134, 2)),
        ("ç" * 135, Segments("UCS-2", 135, 3)),
        ("\U0001f381" * 35, Segments("UCS-2", 70, 1)),
        ("\U0001f381" * 36, Segments("UCS-2", 72, 2)),
        ("\U0001f381" * 67, Segments("UCS-2", 134, 3)),
    ],
    ids=str,
)
def test_segments(text: str, expected: Segments) -> None:
    assert segments(text) == expected


def test_the_alphabet_has_128_places_with_one_escape() -> None:
    """Every character of the two tables, and its neighbours that look like it but are not there."""
    assert foreign("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà\f^{}\\[~]|€") == ()
    assert foreign("`ç’“–…\tÀêâ") == tuple("`ç’“–…\tÀêâ")
    assert sum(segments(chr(code)) == Segments("GSM-7", 1, 1) for code in range(0x3000)) == 127
    assert sum(segments(chr(code)) == Segments("GSM-7", 2, 1) for code in range(0x3000)) == 10


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=700))
def test_segments_hold_the_text_and_no_fewer_would(text: str) -> None:
    """A second way to count: cut the text greedily and measure each piece by its encoded size."""
    found = segments(text)
    wide = found.encoding == "UCS-2"
    sizes = [len(one.encode("utf-16-le", "surrogatepass")) // 2 if wide else 1 + (one in "\f^{}\\[~]|€") for one in text]
    assert found.units == sum(sizes)
    alone, joined = (70, 67) if wide else (160, 153)
    pieces = [0]
    for size in sizes:
        if pieces[-1] + size > joined:
            pieces.append(0)
        pieces[-1] += size
    assert found.count == (len(pieces) if sum(sizes) > alone else min(1, len(text)))
