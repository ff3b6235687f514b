"""Whether what hands messages over can be opened as rekindle.toml has it, before the first message is due.

Knows nothing of messages. Opens no connection.
"""

from collections.abc import Iterator

from rekindle.errors import BadData
from rekindle.program.checking import Finding
from rekindle.program.validating import Severity
from rekindle.service.channels import open_sender
from rekindle.service.channels.provider.esps import view_of
from rekindle.service.flow.setting_lines import line_for
from rekindle.settings import FILE_NAME, Senders, Settings


def examined(settings: Settings) -> tuple[Finding, ...]:
    """What `check` says of a store's senders."""
    return tuple(_findings(settings))


def _findings(settings: Settings) -> Iterator[Finding]:
    """Each mistake once, though several channels share a sender, and what sends shares options with what hears."""
    said = set()
    for finding in _all(settings):
        if finding.message not in said:
            yield finding
        said.add(finding.message)


def _all(settings: Settings) -> Iterator[Finding]:
    for channel in Senders.model_fields:
        try:
            open_sender(settings, channel)
        except BadData as error:
            yield _finding(settings, error, "error")
    if settings.senders.email == "provider":
        try:
            view_of(settings)
        except BadData as error:
            yield _finding(settings, error, "warning")


def _finding(settings: Settings, error: BadData, severity: Severity) -> Finding:
    said = error.cause.removeprefix(f"{FILE_NAME}: ")
    return Finding(FILE_NAME, line_for(settings, said, "senders"), "senders", said, error.remedy, severity)
