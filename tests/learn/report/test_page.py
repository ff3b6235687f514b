import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest

from rekindle.learn.report import headlines, render_page, to_json
from rekindle.learn.report.facts import MAP, MAP_ROWS, ArmCount, LeftAlone, OtherProgram
from rekindle.learn.report.standings import STANDINGS

from . import marigold

HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&\x00\u202e" + "W" * 300
SECTIONS = ["map", "why", "who", "sequence", "money", "alone", "worth", "customers", "assumptions"]
LIMIT = 1_500_000


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text.append(data)

    def named(self, name: str, tag: str | None = None) -> list[str]:
        return [value for of, attribute, value in self.attributes if attribute == name and tag in (None, of)]

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(f"{part} " if part[-1:].isalnum() else part for part in self.text))


@pytest.fixture(scope="module")
def pages():
    return {name: render_page(getattr(marigold, name)()) for name in ("facts", "rehearsal", "empty")}


@pytest.fixture(scope="module", params=["facts", "rehearsal", "empty"])
def page(request, pages):
    return pages[request.param]


def test_the_page_needs_nothing_but_itself(page):
    outline = Outline(page)
    frames = [Outline(frame) for frame in outline.named("srcdoc")]
    for part in (outline, *frames):
        assert not {"script", "link", "object", "embed", "base", "form", "image"} & set(part.tags)
        assert not [name for _, name, _ in part.attributes if name.startswith("on")]
        assert [value for _, name, value in part.attributes if name in {"src", "srcset", "action", "data", "poster", "xlink:href"}] == []
        assert all(value.startswith("#") for value in part.named("href"))
        assert "Content-Security-Policy" in part.named("http-equiv")
        assert "default-src 'none'" in part.named("content")[-1 if part in frames else 1]
    assert "http://" not in page
    assert "https://" not in page
    assert "@import" not in page
    assert "url(" not in page.replace("url(#", "")


def test_previews_are_sandboxed_and_keep_their_style_to_themselves(pages):
    outline = Outline(pages["facts"])
    assert outline.tags.count("iframe") == len(marigold.MESSAGES)
    assert outline.named("sandbox") == [""] * len(marigold.MESSAGES)
    assert outline.tags.count("style") == 1
    assert "max-width:560px" in outline.named("srcdoc")[0]


def test_sections_are_in_order_and_headings_never_skip_a_level(page):
    outline = Outline(page)
    assert outline.named("id", "section") == SECTIONS
    levels = [int(tag[1]) for tag in outline.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    assert set(outline.named("href", "a")) == {f"#{name}" for name in SECTIONS}
    assert set(outline.named("aria-labelledby")) <= set(outline.named("id"))


def test_charts_have_words_and_tables_captions(pages):
    outline = Outline(pages["facts"])
    assert outline.tags.count("svg") == outline.named("role", "div").count("img") == 12
    assert outline.tags.count("table") == outline.tags.count("caption") == 5


def test_every_page_has_unique_ids(page):
    ids = Outline(page).named("id")
    assert len(ids) == len(set(ids))


def test_the_page_says_what_the_terminal_says(pages):
    words = Outline(pages["facts"]).words
    for said in (
        "3,180 of 20,000",
        "EUR 142,000",
        "1,870 first messages",
        "at most EUR 620",
        "EUR +2.40",
        "late delivery",
        "940 customers",
        "rekindle explain q9Xb2LmZ0aTk",
    ):
        assert said.lower() in words.lower()
    assert "programs/win-back.yaml:28" in words
    assert "The simulated truth is EUR +2.10, inside that interval." in words


def test_a_rehearsal_and_an_empty_store_are_said_in_words(pages):
    rehearsal, empty = Outline(pages["rehearsal"]).words, Outline(pages["empty"]).words
    assert "Rehearsal. No contact data is known" in rehearsal
    assert "What the program is worth is not yet known" in rehearsal
    assert "can detect EUR 3.10 a customer by 14 February 2027" in rehearsal
    assert "truth" not in rehearsal
    assert "No customer is known yet." in empty
    assert "nan" not in empty.lower().split()


def test_beside_every_other_program_stands_what_its_control_would_show():
    others = (OtherProgram("birthday", "a birthday", False, 9, 2, 310.0), OtherProgram("receipt", "an order", True, 4, 0, None))
    page = render_page(replace(marigold.facts(), others=others))
    assert re.search(r"Birthday.*EUR 3\.10", page[page.index("Programs beside it") : page.index("Receipt")], re.DOTALL)
    assert "four times in five" in page


def test_hostile_words_stay_words():
    facts = marigold.facts()
    hostile = replace(
        facts,
        shop=HOSTILE,
        causes=tuple(replace(cause, label=HOSTILE, examples=(HOSTILE,)) for cause in facts.causes),
        cohorts=tuple(replace(cohort, label=HOSTILE, meaning=HOSTILE) for cohort in facts.cohorts),
        sequence=tuple(
            replace(stage, name=HOSTILE, goal=HOSTILE, delay=HOSTILE, offers=HOSTILE, arms=(ArmCount("a", HOSTILE, 3),))
            for stage in facts.sequence
        ),
        messages=tuple(
            replace(message, label=HOSTILE, subject=HOSTILE, text=HOSTILE, html=f"<p>{HOSTILE}</p>") for message in facts.messages
        ),
        left_alone=(LeftAlone("x", HOSTILE, 3),),
        worth=replace(facts.worth, note=HOSTILE, cohorts=tuple(replace(row, label=HOSTILE) for row in facts.worth.cohorts)),
        notable=tuple(replace(row, customer_id=HOSTILE, why=HOSTILE, command=HOSTILE) for row in facts.notable),
        assumptions=tuple(replace(row, text=HOSTILE, value=HOSTILE, file=HOSTILE) for row in facts.assumptions),
    )
    page = render_page(hostile)
    outline, calm = Outline(page), Outline(render_page(facts))
    assert {"script", "img"} & set(outline.tags) == set()
    assert outline.tags.count("style") == calm.tags.count("style") == 1
    assert [name for _, name, _ in outline.attributes if name.startswith("on")] == []
    assert "\x00" not in page
    assert "\u202e" not in page
    for frame in outline.named("srcdoc"):
        assert "script" not in Outline(frame).tags


def test_the_same_facts_give_the_same_bytes(pages):
    assert render_page(marigold.facts()) == pages["facts"]
    assert to_json(marigold.facts()) == to_json(marigold.facts())


def test_a_full_sample_of_a_large_shop_stays_small():
    chance = np.random.default_rng(1)
    stages = [stage for standing in STANDINGS for stage in standing.stages]
    scattered = pa.table(
        [chance.integers(-300, 700, MAP_ROWS), np.exp(chance.uniform(0, 14, MAP_ROWS)).astype(int), chance.choice(stages, MAP_ROWS)],
        schema=MAP,
    )
    facts = replace(marigold.facts(), customers=100_000, orders=307_010, map=scattered)
    assert len(render_page(facts).encode()) < LIMIT


def test_a_map_of_one_customer_without_margin_is_drawn():
    lonely = pa.table({"overdue": [3], "expected_margin": [0], "lifecycle": ["first_time"]}, schema=MAP)
    assert "NaN" not in render_page(replace(marigold.facts(), map=lonely))


def test_json_has_every_field_and_only_finite_numbers():
    facts = marigold.rehearsal()
    read = json.loads(to_json(facts))
    assert list(read) == [field for field in type(facts).__dataclass_fields__]
    assert read["map"]["overdue"] == facts.map["overdue"].to_pylist()
    assert read["worth"]["estimate"] == {"cannot_tell": "nobody has been written to yet"}
    assert read["worth"]["known_by"] == "2027-02-14"
    assert read["as_of"] == {"instant": "2026-11-21T23:00:00+00:00", "timezone": "Europe/Amsterdam", "shifted": True}
    assert len(headlines(facts)) == 8


def test_a_cohort_that_is_not_told_apart_says_what_would_show() -> None:
    facts = marigold.facts()
    cohorts = tuple(replace(one, detectable=615 if one.label == "bad experience" else None) for one in facts.worth.cohorts)
    said = Outline(render_page(replace(facts, worth=replace(facts.worth, cohorts=cohorts)))).words
    table = said[said.index("Difference to the control by cohort") :]
    assert table.index("Bad experience") < table.index("Margin that would show EUR 6.15") < table.index("Paused high potential")
    assert table.count("EUR 6.15") == 1
