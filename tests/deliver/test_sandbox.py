"""Hostile templates: each ends within the limits, with an error, and none reaches anything."""

import time

import pytest
from liquid.exceptions import LiquidError, ResourceLimitError

from rekindle.deliver import sandbox
from rekindle.deliver.sandbox import FILTERS, SECONDS, STEPS_LIMIT, TAGS, parse
from rekindle.deliver.skeleton import fill, prepare

SAID = {"items": tuple("x" * 30 for _ in range(900)), "name": "Ada", "orders": 5, "long": "a" * 5_000, "signs": "&" * 5_000}
IDLE = "{% if 1 == 2 %}{% endif %}" * 7_000


def filled(source: str, *, escaping: bool = True) -> str:
    return "".join(fill(prepare(parse(source, escaping=escaping), str), SAID))


HOSTILE = {
    "nested loops": "{% for a in items %}{% for b in items %}{% for c in items %}{{ c }}{% endfor %}{% endfor %}{% endfor %}",
    "silent nested loops": "{% for a in items %}{% for b in items %}{% endfor %}{% endfor %}",
    "loops one after the other": "{% for a in items %}{% endfor %}" * 2,
    "a long body": "{% for a in items %}" + IDLE + "{% endfor %}",
    "a wide range": "{% for i in (1..1000000000) %}x{% endfor %}",
    "a wide range from behind": "{% for i in (1..1000000000) reversed %}x{% endfor %}",
    "a range of a fact": "{% for i in (1..orders) %}x{% endfor %}",
    "a range of a name": "{% assign n = 99999 | times: 99999 %}{% for i in (1..n) %}x{% endfor %}",
    "a range as text": '{{ (1..999999999) | join: "x" }}',
    "doubling": '{% assign a = "xxxxxxxx" %}' + "{% assign a = a | append: a %}" * 60,
    "doubling by capture": '{% assign a = "xxxxxxxx" %}' + "{% capture a %}{{ a }}{{ a }}{% endcapture %}" * 60,
    "squaring": '{{ long | replace: "a", long | replace: "a", long }}',
    "a large output": "{{ long }}" * 60,
    "a large template": "x" * 200_001,
    "growing by escapes": "{{ signs" + " | escape" * 200 + " }}",
    "growing by escapes, unseen": "{% assign a = signs" + " | escape" * 200 + " | size %}",
    "growing by url_encode": "{{ signs" + " | url_encode" * 200 + " }}",
    "growing by a long glue": '{{ (1..900) | join: long' + " | append: signs" * 3_000 + " }}",
    "a long glue": "{{ items | join: '" + "x" * 190_000 + "' }}",
    "huge numbers": "{{ 9" + "| times: 99999999999999999999" * 3_000 + " }}",
    "a division by nothing": "{{ 1 | divided_by: 0 }}",
    "deep conditions": "{% if " + " or ".join(["name"] * 20_000) + " %}x{% endif %}",
    "deep blocks": "{% if name %}" * 5_000 + "{% endif %}" * 5_000,
    "another template": "{% render 'x' %}",
    "a file": "{% include '../rekindle.toml' %}",
    "an attribute": "{{ name.__class__.__mro__ }}",
    "an item's attribute": "{{ items['__class__'] }}",
    "a method": "{{ name.upper }}",
    "the clock": "{{ now }}",
    "the day": '{{ "today" | date: "%Y" }}',
    "markup": '{{ "<script>" | safe }}',
    "an unknown tag": "{% raise %}",
    "a stray end": "{% endfor %}",
    "a stray break": "{% break %}",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_is_refused_within_its_time(source: str) -> None:
    began = time.process_time()
    try:
        skeleton = prepare(parse(source, escaping=True), str)
    except LiquidError:
        return
    finally:
        assert time.process_time() - began < 4 * SECONDS  # 200,000 characters take 1 to 2 s, once for each version of a template
    began = time.process_time()
    with pytest.raises(LiquidError):
        fill(skeleton, SAID)
    assert time.process_time() - began < 1.3 * SECONDS


def test_many_filters_on_a_long_text_are_stopped_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them take about a second, more or less than is allowed: so less is allowed here."""
    skeleton = prepare(parse("{{ '" + "x" * 90_000 + "'" + " | upcase | url_encode" * 4_700 + " | size }}", escaping=True), str)
    monkeypatch.setattr(sandbox, "SECONDS", 0.05)
    with pytest.raises(ResourceLimitError, match=r"it takes longer than 0\.05 s"):
        fill(skeleton, SAID)


@pytest.mark.parametrize("name", ["growing by escapes", "growing by url_encode"])
def test_a_growing_text_is_refused_in_the_text_part_too(name: str) -> None:
    before = time.process_time()
    with pytest.raises(ResourceLimitError, match="a filter makes more than 200,000 characters"):
        filled(HOSTILE[name], escaping=False)
    assert time.process_time() - before < SECONDS


def test_what_is_allowed_is_there() -> None:
    template = parse("", escaping=True)
    assert set(template.env.filters) == FILTERS
    assert set(template.env.tags) == TAGS | {"content", "output", "illegal"}


def test_as_many_turns_as_are_allowed_are_taken() -> None:
    assert filled(f"{{% for i in (1..{STEPS_LIMIT}) %}}x{{% endfor %}}") == "x" * STEPS_LIMIT
    assert filled("{% for i in (1..10) reversed %}{{ i }}{% endfor %}") == "10987654321"


def test_a_fact_is_escaped_however_it_is_said() -> None:
    said = {"name": "<b>", "items": ("<i>",)}
    source = '{{ name }}{{ name | append: name }}{{ items | join: name }}{% for one in items %}{{ one | upcase }}{% endfor %}'
    assert "<" not in "".join(fill(prepare(parse(source, escaping=True), str), said))
