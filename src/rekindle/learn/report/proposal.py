"""The report's middle: the stages, what customers would read, what it costs, and who is left alone.

Knows nothing of what it was worth.
"""

from rekindle.insight.models import Interval
from rekindle.learn.report.charts import Bar, Range, bars, ranges
from rekindle.learn.report.facts import MessageView, ReportFacts, StageView
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, capital, el, join, listing, table
from rekindle.learn.report.preview import inert
from rekindle.learn.report.section import section, tiles

WHY_NOBODY = "Held out and control are drawn by chance: without customers whom nobody writes to, no one could tell what writing is worth."


def sequence_section(facts: ReportFacts, figures: Figures) -> Html:
    """The program's stages, and one message a cohort."""
    if not facts.sequence:
        return section(
            "sequence",
            "What we propose",
            "No program is approved, so nothing is proposed",
            el("p", "Check and approve one: programs/*.yaml in the store folder."),
        )
    sent = figures.many(facts.proposed, "message", "messages") if facts.proposed else "no message"
    steps_word = "step" if len(facts.sequence) == 1 else "steps"
    title = f"{_number(len(facts.sequence))} {steps_word}, at the customer's own pace; this plan holds {sent}"
    steps = el("ol", *(el("li", _stage(stage, figures)) for stage in facts.sequence), class_="stages")
    beside = (el("h3", "And at other moments"), _others(facts, figures)) if facts.others else ()
    read = (el("h3", "What a customer of each cohort would read"), el("div", *(_message(row) for row in facts.messages), class_="messages"))
    return section("sequence", "What we propose", title, steps, *(read if facts.messages else ()), *beside)


def _others(facts: ReportFacts, figures: Figures) -> Html:
    """The other programs, those with messages first."""
    ranked = sorted(facts.others, key=lambda other: (-other.messages, other.name))
    rows = [
        (
            capital(other.name.replace("-", " ")), other.moment, "service" if other.service else "marketing", figures.count(other.messages),
            figures.count(other.alone), figures.exact(other.detectable) if other.detectable else "-",
        )
        for other in ranked
    ]
    heads = ("Program", "Begins with", "Class", "Messages", "Left alone", "Would show")
    caption = "Programs beside it, with what this plan holds of each; the last is the effect that its control finds four times in five"
    return table(caption, heads, rows, frozenset({3, 4, 5}))


def _number(count: int) -> str:
    return {1: "One", 2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six"}.get(count, str(count))


def _stage(stage: StageView, figures: Figures) -> Html:
    arms = (join((arm.label, " ", el("b", figures.count(arm.count), class_="none" if not arm.count else "some"))) for arm in stage.arms)
    facts = (("When", stage.delay), ("Goal", stage.goal), ("May offer", stage.offers))
    return join(
        (
            el("h3", capital(stage.name.replace("_", " "))),
            el("dl", *(join((el("dt", name), el("dd", words))) for name, words in facts)),
            listing(arms, class_="arms", aria_label="Variants and their messages in this plan"),
        )
    )


def _message(message: MessageView) -> Html:
    frame = el("iframe", srcdoc=inert(message.html), sandbox="", title=f"Preview: {message.subject}", tabindex=0)
    look = frame if message.html else el("pre", message.text)
    text = el("details", el("summary", "Text part"), el("pre", message.text)) if message.html and message.text else Html()
    label = f"{capital(message.label)} · {message.stage.replace('_', ' ')}"
    return el("article", el("p", label, class_="topic"), el("h4", message.subject), look, text, class_="message")


def money_section(facts: ReportFacts, figures: Figures) -> Html:
    """Ceiling, expected range and subsidised orders."""
    money = facts.money
    if not facts.proposed:
        return section("money", "Money", "Nothing is proposed, so nothing is spent")
    verb = "is assumed to" if money.assumed else "is expected to"
    title = f"It costs at most {figures.most(money.ceiling)} and {verb} bring {figures.rough(money.expected_margin.estimate)}"
    cost, gain = Interval(money.expected_cost, money.expected_cost, money.ceiling), money.expected_margin
    brings = f"What it brings{', assumed' if money.assumed else ''}"
    rows = (
        Range("What it costs", cost, f"{figures.rough(cost.estimate)}, at most {figures.most(money.ceiling)}"),
        Range(brings, gain, f"{figures.rough(gain.estimate)} ({figures.rough_range(gain, ' to ')})"),
    )
    basis = (
        "What it brings is net of its cost. It is assumed: how many more orders a message brings is a starting value of the program, "
        "not a measurement; the comparison under “What we know” replaces it."
        if money.assumed
        else "What it brings is net of its cost, and rests on the measured effects of earlier messages."
    )
    return section(
        "money",
        "Money",
        title,
        tiles(
            ("Cost, at most", figures.most(money.ceiling), "if everybody takes what is offered"),
            ("Cost, expected", figures.rough(money.expected_cost), "offers that are used, and sending"),
            ("Subsidised orders", figures.count(money.subsidised_orders), "would have come anyway and use an offer; their cost is counted"),
        ),
        ranges(rows, "Expected cost with its limit, and expected margin net of it with its 95 % interval", figures),
        el("p", basis, class_="small"),
    )


def alone_section(facts: ReportFacts, figures: Figures) -> Html:
    """Who was due and is not contacted, by reason."""
    rows = [row for row in facts.left_alone if row.count]
    if not rows:
        return section("alone", "Left alone", "Nobody who was due is left alone")
    rows.sort(key=lambda row: -row.count)
    one, many = facts.spared_words
    drawn = [Bar(capital(row.label), row.count, figures.many(row.count, one, many)) for row in rows]
    return section(
        "alone",
        "Left alone",
        f"{figures.many(facts.spared, f'{one} was', f'{many} were')} due and will hear nothing from us, each for a reason",
        bars(drawn, f"{capital(many)} left alone, by reason", figures),
        el("p", WHY_NOBODY, class_="small"),
    )
