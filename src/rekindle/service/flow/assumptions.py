"""What a plan takes for granted, each with the file and the line to change.

Knows nothing of the report's look.
"""

from rekindle.learn.report.facts import Assumption
from rekindle.program.documents import Documents
from rekindle.settings import FILE_NAME, Settings

OFFERS, RULES = "offers.yaml", "rules.yaml"


def assumptions(settings: Settings, documents: Documents) -> tuple[Assumption, ...]:
    """Every assumption in the order to show."""
    return (*_store(settings), *_rules(documents, settings.currency), *_programs(documents), *_offers(documents))


def _store(settings: Settings) -> tuple[Assumption, ...]:
    lines = (settings.root / FILE_NAME).read_text(encoding="utf-8").splitlines()
    stated = {line.partition("=")[0].strip(): number for number, line in reversed(list(enumerate(lines, start=1)))}
    return (
        Assumption("Margin on goods whose cost is not known", f"{settings.margin:.0%}", FILE_NAME, stated.get("margin", 0)),
        Assumption("How far predictions look ahead", f"{settings.horizon_weeks} weeks", FILE_NAME, stated.get("horizon_weeks", 0)),
        Assumption("Cost of one e-mail", f"{settings.currency} {settings.channel_costs.email}", FILE_NAME, stated.get("email", 0)),
    )


def _rules(documents: Documents, currency: str) -> tuple[Assumption, ...]:
    rules, reading = documents.rules, documents.readings.get(RULES)
    stated = (
        ("Customers without any marketing for a year", f"{rules.holdout:.0%}", ("holdout",)),
        ("Messages a customer at most", f"{rules.caps.touches} in {rules.caps.per_days} days", ("caps",)),
        ("Budget for incentives", f"{currency} {rules.budget.amount:,.2f} in {rules.budget.per_days} days", ("budget",)),
    )
    return tuple(Assumption(text, value, RULES, reading.line(path) if reading else 0) for text, value, path in stated)


def _programs(documents: Documents) -> tuple[Assumption, ...]:
    found = []
    for program in documents.programs:
        file = documents.file_of(program.name)
        reading = documents.readings.get(file)
        found.append(
            Assumption(f"Control of {program.name}", f"{program.control:.0%}", file, reading.line(("control",)) if reading else 0)
        )
        for stage in program.stages:
            for arm in stage.arms:
                line = reading.line(("stages", stage.name, "arms", arm.name, "prior")) if reading else 0
                value = f"{arm.prior.mean:g} ± {arm.prior.sd:g} orders"
                found.append(Assumption(f"Extra orders a customer by {stage.name}: {arm.name.replace('_', ' ')}", value, file, line))
    return tuple(found)


def _offers(documents: Documents) -> tuple[Assumption, ...]:
    reading = documents.readings.get(OFFERS)
    return tuple(
        Assumption(
            f"Takers of “{offer.label}” among those who order", f"{offer.redemption:.0%}", OFFERS,
            reading.line(("offers", name, "redemption")) if reading else 0,
        )
        for name, offer in documents.offers.items() if offer.redemption > 0
    )
