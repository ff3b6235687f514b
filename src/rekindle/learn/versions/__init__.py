"""Versions of the table of chances: what one changes, on which evidence, what it is expected to cost, as a text that is kept and as a page.

Knows nothing of stores, approvals or files.
"""

from rekindle.learn.versions.facts import Change, Evident, Outlook, Version, changes
from rekindle.learn.versions.page import Standing, render_page
from rekindle.learn.versions.text import read, write

__all__ = ["Change", "Evident", "Outlook", "Standing", "Version", "changes", "read", "render_page", "write"]
