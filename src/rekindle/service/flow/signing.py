"""What signs a store's mail, and what has to be put right or published before it does.

Knows nothing of how a signature is made.
"""

from dataclasses import dataclass

from rekindle.deliver.dkim import DkimKey, aligned, dns_record, read_key
from rekindle.errors import BadData
from rekindle.program.checking import Finding
from rekindle.program.validating import Severity
from rekindle.service.flow.setting_lines import line_for
from rekindle.settings import FILE_NAME, Settings, secret


@dataclass(frozen=True, slots=True)
class Signing:
    """How it stands with a store's signature.

    Args:
        findings: What is wrong.
        record: The name and the text of the TXT record to publish; None where there is no key to publish.
    """

    findings: tuple[Finding, ...]
    record: tuple[str, str] | None = None


def signing_key(settings: Settings) -> DkimKey | None:
    """What signs the store's mail; None where nothing does.

    Raises:
        BadData: The key is not there, not one or too small, or its domain is not the sender's.
    """
    dkim, sender = settings.dkim, settings.sender.email
    if not dkim.key:
        return None
    key = read_key(dkim.selector, dkim.domain or sender.rpartition("@")[2], secret(dkim.key, settings.root, "dkim.key"))
    if not aligned(key.domain, sender):
        raise BadData(f"dkim.domain is {key.domain}, and {sender} is of another", "Write dkim.domain as in sender.email.")
    return key


def examined(settings: Settings) -> Signing:
    """What `check` says of a store's signature."""
    try:
        key = signing_key(settings)
    except BadData as error:
        return Signing((_finding(settings, error.cause, error.remedy, "error"),))
    if key:
        return Signing((), dns_record(key))
    if settings.senders.email == "smtp":
        cause = "mail goes out unsigned, and large mailboxes refuse it unless your mail server signs it"
        return Signing((_finding(settings, cause, "Write [dkim] selector and key; docs/mail.md says how.", "warning"),))
    return Signing(())


def _finding(settings: Settings, message: str, remedy: str, severity: Severity) -> Finding:
    said = message.removeprefix(f"{FILE_NAME}: ")
    return Finding(FILE_NAME, line_for(settings, said, "dkim"), "dkim", said, remedy, severity)
