"""YAML as plain values with their lines, and what is refused."""

import time
from pathlib import Path

import pytest

from rekindle.errors import StoreUnavailable
from rekindle.program.reading import SIZE, Unreadable, folder, read, write_missing


def test_values_are_plain() -> None:
    text = (b"a: 1\nb: -2.5\nc: yes\nd: true\ne: ~\nf: 2026-01-01\ng: [x, 20:00]\nh: {i: 'j'}\n"
            b"k: 007\nl: 0x1f\nm: .inf\nn: 1_000\no: \"5\"\n")
    assert read(text).value == {
        "a": 1, "b": -2.5, "c": "yes", "d": True, "e": None, "f": "2026-01-01", "g": ["x", "20:00"], "h": {"i": "j"}, "k": 7, "l": "0x1f",
        "m": ".inf", "n": "1_000", "o": "5",
    }  # fmt: skip


def test_lines_of_keys_and_items() -> None:
    reading = read(b"# comment\na:\n  b: 1\n  c:\n    - x\n    - {d: 2,\n       e: 3}\n")
    assert [reading.line(path) for path in [("a",), ("a", "b"), ("a", "c", 0), ("a", "c", 1), ("a", "c", 1, "e")]] == [2, 3, 5, 6, 7]
    assert reading.line(()) == 1
    assert reading.line(("a", "c", 1, "nothing", "below")) == 6
    assert reading.line(("a", 1, 0)) == 5, "a number counts keys"
    assert reading.found(("a", 1, 1, 1)) == ("a", "c", 1, "e")
    assert reading.found(("a", 9)) == ("a",)


def test_a_byte_order_mark_is_borne() -> None:
    assert read(b"\xef\xbb\xbfa: 1").value == {"a": 1}


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (b"a: 1\nb: &x 2", 2, "anchors (&) and aliases (*) are not read"),
        (b"a: *x", 1, "anchors (&) and aliases (*) are not read"),
        (b"a: 1\nb:\n  c: 1\n  d: 2\n  c: 3", 5, "the key 'c' stands twice, first on line 3"),
        (b"a: !!python/object/apply:os.system ['true']", 1, "the tag tag:yaml.org,2002:python/object/apply:os.system is not read"),
        (b"a: !!str 1", 1, "the tag tag:yaml.org,2002:str is not read"),
        (b"%YAML 1.1\n---\na: yes", 2, "a directive (%) is not read"),
        (b"a: 1\n---\nb: 2", 2, "a second document begins"),
        (b"- 1", 1, "the document is not a mapping of keys"),
        (b"", 1, "the document is not a mapping of keys"),
        (b"just text", 1, "the document is not a mapping of keys"),
        (b"a: 1\n? [b]\n: 1", 2, "a key is not a text"),
        (b"a: 1\nb: \xff\xfe", 2, "byte 8 is not UTF-8"),
        (b"a: 1\nb: \x00", 2, "a character that cannot be printed"),
        (b"a: 1\nb: \"\\ud800\"", 2, "half of a character (\\ud800 to \\udfff)"),
        (b"a: 1\nb: " + b"9" * 5_000, 2, "a number has 5,000 digits"),
        (b"a: 1\n\tb: 2", 2, "not YAML: found character '\\t' that cannot start any token"),
        (b"a: b: c", 1, "not YAML: mapping values are not allowed here"),
        (b"a: " + b"[" * 20 + b"]" * 20, 1, "nested more than 16 deep"),
        (b"a: " + b"x" * SIZE, 1, f"the document has {SIZE + 3:,} bytes"),
    ],
)
def test_what_documents_may_not_have(text: bytes, line: int, why: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert (caught.value.line, caught.value.why) == (line, why)
    assert caught.value.remedy


LAUGHS = b"a: &a [x, x]\n" + b"".join(b"b%d: &b%d [*a, *a, *a]\n" % (n, n) for n in range(500))


HOSTILE = [LAUGHS, b"[" * 60_000, b"{" * 60_000, b"? " * 30_000, b"- " * 30_000, b"a: " * 20_000, b"'" * 60_000, b"&" * 60_000]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_documents_are_refused_at_once(text: bytes) -> None:
    begun = time.perf_counter()
    with pytest.raises(Unreadable):
        read(text)
    assert time.perf_counter() - begun < 5


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "a.yaml").write_bytes(b"x" * (SIZE + 100))
    (tmp_path / "programs" / "b.yml").write_bytes(b"b")
    (tmp_path / "programs" / "c.txt").write_bytes(b"c")
    (tmp_path / "programs" / "d.yaml").mkdir()
    texts, unreadable = folder(tmp_path)
    assert {name: len(text) for name, text in texts.items()} == {"programs/a.yaml": SIZE + 1}
    assert unreadable == {"programs/b.yml": "its name does not end in .yaml", "programs/d.yaml": "Is a directory"}


def test_documents_that_are_there_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("mine")
    assert write_missing(tmp_path, {"a.yaml": "yours", "programs/b.yaml": "b"}) == (tmp_path / "programs" / "b.yaml",)
    assert (tmp_path / "a.yaml").read_text() == "mine"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "programs").write_text("a file")
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        write_missing(tmp_path, {"programs/a.yaml": ""})
