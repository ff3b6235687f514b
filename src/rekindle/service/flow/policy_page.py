"""The page of a version of the table of chances, and where the version stands.

Knows nothing of how a version is chosen.
"""

from datetime import UTC, datetime
from pathlib import Path

from rekindle.learn.report.figures import Figures
from rekindle.learn.versions import Standing, render_page
from rekindle.learn.versions.facts import Version
from rekindle.moment import AsOf, local_day
from rekindle.service.flow import policies, worlds
from rekindle.service.flow.insights import write_whole
from rekindle.settings import Settings


def path(settings: Settings, name: str) -> Path:
    """Where a version's page goes."""
    return settings.var / "reports" / f"policy-{name}.html"


def publish(settings: Settings, version: Version) -> Path:
    """Writes a version's page as it stands now, and returns where it is."""
    figures, to = Figures(settings.currency, settings.locale.replace("-", "_")), path(settings, version.name)
    as_of = AsOf(version.as_of.astimezone(UTC), settings.timezone)
    write_whole(to, render_page(version, standing(settings, version.name), settings.name, figures, as_of, worlds.is_simulated(settings)))
    return to


def standing(settings: Settings, name: str) -> Standing:
    """Whether a version is in force, who approved it, and what may be done next."""
    reign = policies.reigning(settings)
    given = [one for entry in policies.entries(settings) if entry.name == name for one in entry.approvals]
    if not given:
        return Standing("It is proposed and nobody has approved it.", f"rekindle policy approve {name}")
    said = f"approved by {given[-1].by} on {_day(settings, given[-1].at)}"
    if name == reign[-1]:
        return Standing(f"It is in force, {said}.", "rekindle policy rollback")
    return Standing(f"It was {said} and is no longer in force.", f"rekindle policy rollback {name}")


def _day(settings: Settings, at: datetime) -> str:
    return local_day(at, settings.timezone).isoformat()
