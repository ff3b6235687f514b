"""Which versions there are, and which of them are approved for what.

Changes nothing, and knows nothing of what a document says.
"""

from rekindle.errors import BadData
from rekindle.service.config import use_ledger
from rekindle.service.programs.models import Approval, Document
from rekindle.settings import Settings

_SHORTEST = 6


def version(digest: str) -> Document:
    """The version that a digest, or its beginning, names.

    Raises:
        BadData: None does, or several do.
    """
    found = list(Document.objects.filter(digest__startswith=digest)[:2]) if len(digest) >= _SHORTEST else []
    if len(found) != 1:
        what = "several versions" if found else "no version"
        raise BadData(f"'{digest}' names {what}", "Give the digest that `rekindle submit` printed.")
    return found[0]


def approved(settings: Settings, channel: str = "mailbox") -> dict[str, str]:
    """The version of each document that was approved last for a channel: name to digest.

    The order of approvals counts, not their instants: the clock of a simulated store lies behind that of its making.
    """
    use_ledger(settings)
    return dict(Approval.objects.filter(channel=channel).order_by("id").values_list("document__name", "document_id"))


def text_of(digest: str) -> str:
    """A version's text."""
    return version(digest).text
