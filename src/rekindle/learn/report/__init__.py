"""The report: one page for a person, one object for a program, eight lines for a terminal, all from the same facts.

Knows nothing of where the facts come from; whoever fills `ReportFacts` decides that.
"""

from rekindle.learn.report.facts import ReportFacts, to_json
from rekindle.learn.report.headlines import headlines
from rekindle.learn.report.page import render_page

__all__ = ["ReportFacts", "headlines", "render_page", "to_json"]
