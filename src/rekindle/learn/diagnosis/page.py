"""A diagnosis as one HTML page that needs nothing but itself: no network, no script, no font.

Knows nothing of stores or files. The same facts give the same bytes.
"""

from rekindle.learn.diagnosis import gains, reasons
from rekindle.learn.diagnosis.facts import Diagnosis
from rekindle.learn.report.figures import Figures
from rekindle.learn.report.markup import Html, el, unbroken
from rekindle.learn.report.sheet import contents, made_of, sheet

CONTENTS = (
    ("friction", "Friction"),
    ("causes", "Causes"),
    ("dropoff", "Last step"),
    ("return", "Coming back"),
    ("opportunity", "Opportunity"),
    ("audit", "Audit"),
    ("method", "How it was found"),
)
SIMULATED = "This marketplace is made up: what went wrong with its orders, and what that did, is the simulator's."


def render_page(found: Diagnosis) -> str:
    """The whole page.

    Args:
        found: Everything it says.

    Returns:
        A complete HTML document, UTF-8 when written.
    """
    figures = Figures(found.currency, found.locale.replace("-", "_"))
    main = el(
        "main",
        _headline(found, figures),
        contents(CONTENTS),
        reasons.friction_section(found, figures),
        reasons.causes_section(found, figures),
        reasons.dropoff_section(found, figures),
        gains.return_section(found, figures),
        gains.opportunity_section(found, figures),
        gains.audit_section(found, figures),
        reasons.method_section(),
    )
    return sheet(f"{found.shop}: why customers leave", main, made_of(found.as_of, figures))


def _headline(found: Diagnosis, figures: Figures) -> Html:
    everyone = figures.many(found.customers, "customer", "customers")
    known = sum(one.customers for one in found.causes if one.kind != "unknown")
    sentence = f"{figures.count(found.slipping)} of {everyone} slip away; for {figures.count(known)} the data shows what went wrong before."
    parts = [el("p", found.shop, class_="shop"), el("h1", unbroken(sentence))]
    looked = figures.many(found.purchases, "purchase", "purchases")
    after = f"From {looked} old enough to tell; {figures.count(found.lapsed)} were followed by a silence that is long for that customer."
    parts.append(el("p", after, class_="lede"))
    if found.simulated:
        parts.append(el("p", el("strong", "Simulated."), f" {SIMULATED}", class_="note"))
    return el("header", *parts)
