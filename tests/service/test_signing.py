from pathlib import Path

import dkim
import pytest

from rekindle.deliver.dkim import dns_record, read_key
from rekindle.errors import BadData
from rekindle.service.flow.sending import send_due
from rekindle.service.flow.signing import examined, signing_key
from rekindle.service.outbox.models import Touch
from rekindle.settings import FILE_NAME, Settings
from tests.deliver.keys import dns, pem
from tests.service.conftest import NOON
from tests.service.touches import Recorder, plan


def signed(store: Settings, text: str, **names: str) -> Settings:
    """The store with a key."""
    (store.root / FILE_NAME).write_text('name = "Marigold"\n\n[dkim]\nkey = "file:key.pem"\n', encoding="utf-8")
    path = store.root / "key.pem"
    path.write_text(text, encoding="utf-8")
    return store.model_copy(update={"dkim": store.dkim.model_copy(update={"selector": "mail", "key": f"file:{path}", **names})})


def test_what_is_sent_is_signed_by_the_senders_domain(store: Settings) -> None:
    keyed = signed(store, pem())
    plan(["c1"])
    send_due(keyed, NOON, senders={"email": (recorder := Recorder())})
    key = read_key("mail", "marigold.example", pem())
    (message,) = recorder.taken
    assert dkim.verify(message.wire, dnsfunc=dns(key))
    assert examined(keyed).record == dns_record(key)
    assert examined(keyed).findings == ()


def test_without_a_key_nothing_is_signed(store: Settings) -> None:
    plan(["c1"])
    send_due(store, NOON, senders={"email": (recorder := Recorder())})
    assert b"DKIM-Signature" not in recorder.taken[0].wire
    assert (examined(store).findings, examined(store).record) == ((), None)


@pytest.mark.parametrize(
    ("bits", "names", "cause", "line"),
    [
        (1_024, {}, "dkim.key has 1024 bits", 4), (2_048, {"domain": "other.example"}, "dkim.domain is other.example", 3),
        (2_048, {"selector": ""}, "dkim.selector: '' is not a name", 3),
        (2_048, {"key": "file:/nowhere/key.pem"}, "dkim.key: no secret at", 4),
    ],
)  # fmt: skip
def test_a_key_that_cannot_sign_is_refused_before_anything_is_sent(
    store: Settings, bits: int, names: dict[str, str], cause: str, line: int
) -> None:
    keyed = signed(store, pem(bits), **names)
    plan(["c1"])
    with pytest.raises(BadData, match=cause):
        send_due(keyed, NOON, senders={"email": (recorder := Recorder())})
    assert recorder.taken == []
    assert Touch.objects.get().status == "planned"
    (finding,) = examined(keyed).findings
    assert cause in finding.message
    assert (finding.file, finding.line, finding.rule, finding.severity) == (FILE_NAME, line, "dkim", "error")


def test_mail_that_leaves_unsigned_is_warned_of(store: Settings) -> None:
    (store.root / FILE_NAME).write_text("", encoding="utf-8")
    leaving = store.model_copy(update={"senders": store.senders.model_copy(update={"email": "smtp"})})
    (finding,) = examined(leaving).findings
    assert (finding.severity, finding.line) == ("warning", 1)
    assert "unsigned" in finding.message


def test_a_domain_above_the_senders_signs_for_it(store: Settings, tmp_path: Path) -> None:
    sender = store.sender.model_copy(update={"email": "hello@mail.marigold.example"})
    key = signing_key(signed(store.model_copy(update={"sender": sender}), pem(), domain="marigold.example"))
    assert key is not None
    assert key.domain == "marigold.example"
