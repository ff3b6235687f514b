"""A backtest as one HTML page that needs nothing but itself: what was expected at earlier instants, and what came.

Knows nothing of stores or files. The same backtest gives the same bytes.
"""

from collections.abc import Callable, Sequence
from datetime import date

from rekindle.errors import CannotTell
from rekindle.insight.backtest import RULE_DAYS, Backtest, Origin
from rekindle.insight.forecasts import Forecast
from rekindle.insight.models import Interval
from rekindle.insight.season import Season
from rekindle.learn.report.backtest_charts import COLORS, GLYPHS, Axis, Row, lines_of_marks, reliability
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, el, join, listing, table, unbroken
from rekindle.learn.report.section import section
from rekindle.learn.report.sheet import made_of, sheet

MARKS = "".join(f".mark.{kind}{{color:{color}}}" for kind, color in COLORS.items()) + ".mark{margin-right:.45rem}.score{margin-top:1.5rem}"
RULE = f"“no order for {RULE_DAYS} days”"
SCORES = ("brier", "log_loss")
EQUAL = 0.01
"""Scores that differ by no more than this share are about equal."""

HUNDRED = 100


def render_backtest(found: Backtest, shop: str, figures: Figures, simulated: bool = False) -> str:
    """The whole page.

    Args:
        found: What was predicted and what came.
        shop: The shop's name.
        figures: Writes numbers and days.
        simulated: Whether the shop is made up.

    Returns:
        A complete HTML document, UTF-8 when written.
    """
    main = el(
        "main", _header(found, shop, figures, simulated), _totals(found, figures), _chances(found, figures), _against_rule(found, figures),
        _tenths(found.origins[-1], figures), _method(found, figures),
    )  # fmt: skip
    return sheet(f"{shop}: were the predictions right?", main, made_of(found.as_of, figures), MARKS)


def summary(found: Backtest) -> str:
    """The totals in a sentence: how many orders were expected for every hundred that came."""
    ratios = [one.ratio.estimate for one in found.origins if isinstance(one.ratio, Interval)]
    if not ratios:
        return "Too few orders came to compare with"
    return f"For every 100 orders that came, {_hundreds(ratios)} had been expected"


def verdict(found: Backtest, share: Callable[[float], str]) -> str:
    """What to take from it, in a sentence.

    Args:
        found: What was predicted and what came.
        share: Writes a share of 1.
    """
    ratios = [one.ratio.estimate for one in found.origins if isinstance(one.ratio, Interval)]
    if not ratios:
        return "How far a total may be off is not known"
    off = max(abs(ratio - 1) for ratio in ratios)
    return f"A total was off by up to {share(off)}; who is likelier to order than whom is safer to go by"


def against_rule(found: Backtest) -> str:
    """At how many days the model told better than the rule, in a sentence; scores within 1 % of each other are about equal."""
    gains = [[_gain(one, name) for name in SCORES] for one in found.origins]
    won = sum(all(gain > EQUAL for gain in both) for both in gains)
    even = sum(all(gain >= -EQUAL for gain in both) for both in gains) - won
    about = f", and by one or both about equally well at {even}" if even else ""
    return f"By both scores the model told better than {RULE} at {won} of {len(gains)} days{about}"


def _gain(one: Origin, score: str) -> float:
    """How much lower the model's score is than the rule's, as a share of the rule's."""
    model, rule = float(getattr(one.model, score)), float(getattr(one.rule, score))
    return 1 - model / rule if rule else 0.0


def _header(found: Backtest, shop: str, figures: Figures, simulated: bool) -> Html:
    count = figures.many(len(found.origins), "earlier day", "earlier days")
    lede = (
        f"Rekindle went back to {count}, predicted from what was known on each, and compared with the "
        f"{figures.many(found.horizon_weeks, 'week', 'weeks')} that followed."
    )
    fewer = (el("p", el("strong", "Fewer than four. "), f"{reason[:1].upper()}{reason[1:]}.", class_="note") for reason in found.left_out)
    made_up = el("p", el("strong", "Simulated."), " This marketplace is made up, and so are its customers.", class_="note")
    told, notes = f"{lede} {verdict(found, figures.share)}.", (*fewer, made_up) if simulated else fewer
    return el("header", el("p", shop, class_="shop"), el("h1", f"{summary(found)}."), el("p", told, class_="lede"), *notes)


def _totals(found: Backtest, figures: Figures) -> Html:
    rows = [_total(one, figures) for one in found.origins]
    clocked = any(isinstance(one.season, Season) for one in found.origins)
    ends = [end for row in rows for end in (*row.marks.values(), *((row.span.low, row.span.high) if row.span else ()))]
    low, high = min([85.0, *ends]), max([115.0, *ends])
    axis = Axis("orders expected for every 100 that came", (low - 4, high + 4), ",.0f", HUNDRED)
    kinds = {"model": "as predicted, with a 95 % interval", **({"calendar": "without the season’s clock"} if clocked else {})}
    seasons = listing(f"{figures.day(one.as_of.day)}: season {_season(one.season)}" for one in found.origins)
    return section(
        "totals", "How many orders", season_effect(found, figures.day), _legend(kinds),
        lines_of_marks(rows, axis, "Expected orders for every hundred that came, by origin", figures),
        el("p", "The dashed line is where as many came as were expected; left of it too few had been expected. ", INTERVAL, class_="small"),
        el("details", el("summary", "The season at each of these days"), seasons),
    )  # fmt: skip


def season_effect(found: Backtest, day: Callable[[date], str]) -> str:
    """How many orders were expected for every hundred that came, with the season's clock and without, on the days that had one.

    Args:
        found: What was predicted and what came.
        day: Writes a day.
    """
    clocked = [one for one in found.origins if isinstance(one.season, Season) and one.actual]
    if not clocked:
        return "No season was used: the models counted days alone"
    with_clock = _hundreds([one.expected / one.actual for one in clocked])
    without = _hundreds([one.expected_by_calendar / one.actual for one in clocked])
    one_day = f"On {day(clocked[0].as_of.day)}, the one day with a known season"
    when = one_day if len(clocked) == 1 else f"On the {len(clocked)} days with a known season"
    return f"{when}: {with_clock} with its clock, {without} without"


def _hundreds(shares: Sequence[float]) -> str:
    """Shares as how many for every hundred."""
    low, high = (round(HUNDRED * end) for end in (min(shares), max(shares)))
    return f"{low}" if low == high else f"{low} to {high}"


INTERVAL = "The interval holds what chance does to single customers, not what moves all of them at once, such as a sale or a strike."


def _total(one: Origin, figures: Figures) -> Row:
    words = f"{figures.count(one.expected)} expected, {figures.count(one.actual)} came"
    if isinstance(one.ratio, CannotTell):
        return Row(figures.day(one.as_of.day), words, {})
    span = Interval(HUNDRED * one.ratio.low, HUNDRED * one.ratio.estimate, HUNDRED * one.ratio.high)
    plain = {"calendar": HUNDRED * one.expected_by_calendar / one.actual} if isinstance(one.season, Season) else {}
    return Row(figures.day(one.as_of.day), words, {"model": span.estimate, **plain}, span)


def _season(season: Season | CannotTell) -> str:
    return f"off: {season.reason}" if isinstance(season, CannotTell) else str(season)


def _chances(found: Backtest, figures: Figures) -> Html:
    tenths = [tenth for one in found.origins for tenth in one.chances]
    everyone = sum(tenth.customers for tenth in tenths)
    off = sum(tenth.customers * abs(tenth.predicted - tenth.actual.estimate) for tenth in tenths) / everyone
    return section(
        "chances", "Whose chance", f"Chances were off by {figures.points(off).lstrip('+')} percentage points in the mean",
        reliability(found.origins, figures),
        el(
            "p", "Each dot is a tenth of all customers: how likely they were said to order, and the share who did, with a 95 % interval. ",
            "On the dashed line what was said is what happened; above it more ordered than were said to.", class_="small",
        ),
    )  # fmt: skip


def _against_rule(found: Backtest, figures: Figures) -> Html:
    kinds = {
        "model": "the model", "rule": f"{RULE}, with the shares it could have learned before",
        "best": "the same rule, told the shares that were to come, which no shop can know",
    }  # fmt: skip
    return section(
        "rule", f"Against {RULE}", against_rule(found), _legend(kinds),
        _scores("Brier score: mean squared error of a chance, lower is better", "brier", found.origins, figures),
        _scores("Log-loss: surprise at what happened, lower is better", "log_loss", found.origins, figures),
        table(
            "Scores", ("Day", "Model: Brier", "log-loss", "Rule: Brier", "log-loss", "Rule at its best: Brier", "log-loss"),
            (_score_cells(one, figures) for one in found.origins), frozenset(range(1, 7)),
        ),
        *_unlearned(found.origins, figures),
    )  # fmt: skip


def _unlearned(origins: Sequence[Origin], figures: Figures) -> list[Html]:
    """Why the rule could not have learned its shares, once for all days of the same reason."""
    reasons: dict[str, list[str]] = {}
    for one in origins:
        if isinstance(one.rule_learned, CannotTell):
            reasons.setdefault(one.rule_learned.reason, []).append(figures.day(one.as_of.day))
    return [el("p", f"{', '.join(days)}: {reason}.", class_="small") for reason, days in reasons.items()]


def _scores(title: str, name: str, origins: Sequence[Origin], figures: Figures) -> Html:
    rows = []
    for one in origins:
        scores = {"model": one.model, "rule": one.rule, "best": one.rule_at_best}
        marks = {kind: float(getattr(score, name)) for kind, score in scores.items()}
        better = _gain(one, name)
        words = f"{figures.share(abs(better))} {'lower' if better > 0 else 'higher'} than the rule"
        words = words if abs(better) > EQUAL else "about equal to the rule"
        rows.append(Row(figures.day(one.as_of.day), words, marks))
    top = max(max(row.marks.values()) for row in rows)
    return el("div", el("h3", title), lines_of_marks(rows, Axis(None, (0, 1.1 * top), ".2f"), title, figures), class_="score")


def _score_cells(one: Origin, figures: Figures) -> tuple[str, ...]:
    def cells(score: Forecast) -> tuple[str, str]:
        return f"{score.brier:.4f}", f"{score.log_loss:.4f}"

    return figures.day(one.as_of.day), *cells(one.model), *cells(one.rule), *cells(one.rule_at_best)


def _tenths(last: Origin, figures: Figures) -> Html:
    rows = [
        (
            f"{at} of {len(last.orders)}", figures.count(tenth.customers), f"{tenth.predicted:.2f}", f"{tenth.actual.estimate:.2f}",
            f"{tenth.actual.low:.2f} to {tenth.actual.high:.2f}",
        )
        for at, tenth in enumerate(last.orders, 1)
    ]  # fmt: skip
    share = last.orders[-1].actual.estimate * last.orders[-1].customers / max(last.actual, 1)
    return section(
        "tenths", "How many each", f"The tenth of customers with most expected orders placed {figures.share(share)} of all that came",
        table(
            f"Orders of one customer from {figures.day(last.as_of.day)} on, by tenths of customers from the fewest expected to the most",
            ("Tenth", "Customers", "Expected each", "Came each", "95 % interval"), rows, frozenset({1, 2, 3, 4}),
        ),
    )  # fmt: skip


def _method(found: Backtest, figures: Figures) -> Html:
    days = f"Orders are counted as days with an order. Only facts before a day were used on it; the model was {found.model}."
    known = "Corrections that came later, such as a cancelled order, are in the facts: they are as they are held to be true today."
    rule = f"{RULE} has two chances: the share who ordered among customers silent for less, and for {RULE_DAYS} days or more."
    learned = (
        f"It could have learned them from the {figures.many(found.horizon_weeks, 'week', 'weeks')} before each day. At its best it is told "
        "the shares of the weeks to come, which no shop can know: a model that beats it knows more of its customers than silence."
    )
    overlap = "Where the days are closer than the weeks that followed, the same orders count for several of them."
    finding = "Predicted on one day, judged by the days after it"
    return section("method", "How this was measured", finding, listing((days, known, overlap, rule, learned)))


def _legend(kinds: dict[str, str]) -> Html:
    return listing(
        (join((el("span", GLYPHS[kind], class_=f"mark {kind}", aria_hidden="true"), unbroken(words))) for kind, words in kinds.items()),
        class_="legend",
    )
