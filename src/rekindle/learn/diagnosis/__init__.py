"""Why customers leave, as one page, one object and a few lines.

Knows nothing of where the facts come from; whoever fills `Diagnosis` decides that.
"""

from rekindle.learn.diagnosis.facts import Diagnosis
from rekindle.learn.diagnosis.headlines import headlines
from rekindle.learn.diagnosis.page import render_page
from rekindle.learn.diagnosis.telling import to_json

__all__ = ["Diagnosis", "headlines", "render_page", "to_json"]
