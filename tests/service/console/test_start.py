"""The guided start, from a file or a marketplace, and the jobs that it asks for."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from rekindle import moment
from rekindle import settings as store_settings
from rekindle.errors import BadData
from rekindle.service.config import web
from rekindle.service.config.web import application, serve_as, store_in_use
from rekindle.service.console import clerk, jobs, turn
from rekindle.service.console.models import Deed, Job
from rekindle.service.console.roles import Role
from rekindle.service.flow import shop_settings, uploads
from rekindle.settings import Sender, Settings

ORDERS = b"Client;Bestelldatum;Summe\n17;26.11.2025;12,50\n18;27.11.2025;1.020,00\n"
ONLINE = (
    b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    b"1,A,Lamp,1,2010-12-01 08:26:00,2.55,17,United Kingdom\n"
)


@pytest.fixture
def editor(enter: Callable[..., Client]) -> Client:
    return enter(Role.EDITOR)


@pytest.fixture
def trusted(enter: Callable[..., Client]) -> Client:
    return enter(Role.EDITOR, privacy=True)


def bring(client: Client, name: str, content: bytes, at: str = "/console/start") -> Any:
    return client.post(at, {"what": "file", "file": SimpleUploadedFile(name, content)})


def test_a_store_without_orders_begins_with_the_guided_start(editor: Client, enter: Callable[..., Client]) -> None:
    assert editor.get("/console/")["Location"] == "/console/start"
    assert b"Nothing is known yet" in enter(Role.VIEWER).get("/console/").content


def test_a_known_file_is_looked_through_at_once(shop: Settings, editor: Client) -> None:
    answer = bring(editor, "Online Retail.csv", ONLINE)
    job = Job.objects.get()
    assert answer["Location"] == f"/console/jobs/{job.key}"
    path = Path(job.arguments[0])
    assert (job.kind, job.arguments[1:]) == ("look", ["--preset", "online-retail"])
    assert path.parent.parent == shop.var / "uploads"
    assert (path.name, path.read_bytes(), path.stat().st_mode & 0o777) == ("Online-Retail.csv", ONLINE, 0o600)


def test_of_another_file_one_says_which_column_is_which(editor: Client, enter: Callable[..., Client]) -> None:
    at = bring(editor, "export.csv", ORDERS)["Location"]
    page = editor.get(at).content.decode()
    assert "<option selected>Client</option>" in page, "guessed by its name"
    assert page.count(" selected>") == 5, "three columns, the comma and the day's form, all guessed from the first rows"
    assert "1.020,00" in page, "its first rows are shown to who brought it"
    assert "0.000,00" in enter(Role.APPROVER).get(at).content.decode()
    assert "1.020,00" not in enter(Role.APPROVER).get(at).content.decode()
    assert "1.020,00" in enter(Role.EDITOR, privacy=True).get(at).content.decode()
    chosen = {"customer_id": "Client", "ordered_at": "Bestelldatum", "total": "Summe", "decimal": ",", "time_format": "%d.%m.%Y"}
    assert editor.post(at, {**chosen, "total": ""}).status_code == 400
    editor.post(at, chosen)
    job = Job.objects.get()
    mapping = json.loads(Path(job.arguments[2]).read_text(encoding="utf-8"))
    assert mapping["sources"] == [
        {"file": "export.csv", "kind": "orders", "decimal": ",", "time_format": "%d.%m.%Y",
         "columns": {"customer_id": "Client", "ordered_at": "Bestelldatum", "total": "Summe"}},
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["../../etc/passwd", "orders.exe", "csv", "a\\b.zip"])
def test_a_name_leads_nowhere_else(shop: Settings, editor: Client, name: str) -> None:
    assert bring(editor, name, b"x").status_code == 400
    kept = uploads.keep(shop, f"{name}/../ord ers\0.csv", [b"x"])
    assert kept.parent.parent == shop.var / "uploads"
    assert kept.name == "ord-ers.csv"


def test_what_is_no_file_is_said_and_nothing_is_asked_for(editor: Client) -> None:
    assert editor.post("/console/start", {"what": "file"}).status_code == 400
    assert bring(editor, "orders.parquet", b"no parquet").status_code == 400
    assert bring(editor, "orders.csv", b"").status_code == 400
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("name", "kept"),
    [("注文.csv", "file.csv"), (".csv", "file.csv"), ("заказы.JSONL.GZ", "file.jsonl.gz"), ("注文 2026.csv", "2026.csv"),
     ("x" * 300 + ".tsv.gz", "x" * 72 + ".tsv.gz"), (" orders.csv ", "orders.csv")],
)  # fmt: skip
def test_a_name_of_any_letters_keeps_its_ending(shop: Settings, name: str, kept: str) -> None:
    assert uploads.keep(shop, name, [b"x"]).name == kept


def test_lines_may_end_as_they_did_on_old_computers(shop: Settings) -> None:
    head = uploads.head(uploads.keep(shop, "orders.csv", [ORDERS.replace(b"\n", b"\r")]))
    assert (head.columns, len(head.rows)) == (("Client", "Bestelldatum", "Summe"), 2)


def test_a_json_line_may_hold_any_text_and_the_last_may_be_cut_off(shop: Settings) -> None:
    one = '{"customer": "17", "note": "a\u2028b"}\n'
    for lines in (one, one + '{"customer": "' + "x" * 70_000 + '"}\n'):
        head = uploads.head(uploads.keep(shop, "orders.jsonl", [lines.encode()]))
        assert (head.columns, head.rows) == (("customer", "note"), (("17", "a\u2028b"),))


@pytest.mark.parametrize("at", ["/console/start", "/console/start/contacts"])
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", b"17\n", "one JSON object a line"), ("a.jsonl", b"[1, 2]\n", "one JSON object a line"),
        ("a.json", b'[\n {"customer": "17"},\n {"customer": "18"}\n]\n', "one JSON object a line"),
        ("a.jsonl", b"null\n", "one JSON object a line"), ("a.jsonl", b"{}\n", "no first line with names"),
        ("a.jsonl", b"", "no first line with names"), ("a.jsonl", b"[" * 60_000, "damaged"), ("a.jsonl", b"9" * 5_000, "damaged"),
        ("a.csv", b"", "no first line with names"), ("a.csv", b"\n\n", "no first line with names"),
        ("a.csv", ORDERS.decode().encode("utf-16"), "no text in UTF-8"), ("a.csv", bytes(range(256)) * 9, "no text in UTF-8"),
        ("a.csv.gz", b"no gzip", "damaged"), ("a.csv.gz", gzip.compress(ORDERS * 99)[:-30], "damaged"),
        ("a.csv.gz", gzip.compress(ORDERS)[:10] + b"\xff" * 40, "damaged"), ("a.parquet", b"PAR1" * 5, "damaged"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused_in_words(trusted: Client, at: str, name: str, content: bytes, words: str) -> None:
    answer = bring(trusted, name, content, at)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Job.objects.exists()


def test_the_report_is_seen_before_anything_is_taken_in(shop: Settings, editor: Client) -> None:
    bring(editor, "export.csv", ONLINE)
    job = Job.objects.get()
    at = f"/console/start/file/{job.key}"
    assert editor.get(at).status_code == 404, "not looked through yet"
    report = {"read": 9, "accepted": 6, "duplicates": 1, "rejected": {"price": 2}, "orders": 3, "customers": 2, "gross": 123.0}
    Job.objects.update(state=Job.State.DONE, result=json.dumps(report))
    page = editor.get(at).content.decode()
    assert "2 have no usable amount" in page
    assert "EUR 123" in page
    assert editor.get(f"/console/jobs/{job.key}", headers={"HX-Request": "true"})["HX-Redirect"] == at
    editor.post(at)
    begun = Job.objects.get(kind="begin")
    assert begun.arguments == job.arguments
    assert [deed.what for deed in Deed.objects.all()] == ["brought a file", "took a file in"]


def test_contacts_are_brought_beside_the_orders(editor: Client, trusted: Client) -> None:
    at = "/console/start/contacts"
    assert bring(editor, "contacts.csv", b"customer_id,email,email_consent\n17,a@b.example,yes\n", at).status_code == 403
    bring(trusted, "contacts.csv", b"customer_id,email,email_consent\n17,a@b.example,yes\n", at)
    job = Job.objects.get()
    assert job.arguments[1:] == ["--contacts", "--preset", "contacts"]
    Job.objects.update(state=Job.State.DONE, result="{}")
    assert editor.post(f"/console/start/file/{job.key}").status_code == 403
    trusted.post(f"/console/start/file/{job.key}")
    assert Job.objects.get(kind="begin").arguments == ["--contacts", job.arguments[0]]


def test_a_marketplace_is_made_where_the_store_is(shop: Settings, editor: Client) -> None:
    editor.post("/console/start", {"what": "marketplace"})
    job = Job.objects.get()
    assert (job.kind, job.arguments[0]) == ("marketplace", str(shop.root))


def work(shop: Settings, kind: jobs.Kind, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Has a clerk run one job, by the name `test`."""
    monkeypatch.setattr(jobs, "KINDS", {"test": kind})
    monkeypatch.setattr(clerk, "KINDS", {"test": kind})
    (shop.root / "rekindle.toml").touch()
    asked = jobs.start("test", [], "ada", moment.now())
    stop = Event()
    thread = Thread(target=clerk.attend, args=(shop, stop, print, 0.05))
    thread.start()
    try:
        while Job.objects.get(pk=asked.pk).state in (Job.State.WAITING, Job.State.RUNNING):
            stop.wait(0.05)
    finally:
        stop.set()
        thread.join()
    return Job.objects.get(pk=asked.pk)


def test_a_clerk_runs_a_job_and_keeps_what_was_said_and_printed(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    done = work(shop, jobs.Kind("List the keys", ("keys", "list"), after=("operators", "list", "--json")), monkeypatch)
    assert (done.state, done.exit_code) == (Job.State.DONE, 0)
    assert json.loads(done.result) == {"operators": []}
    assert done.ended_at


def test_a_job_that_fails_says_why(shop: Settings, monkeypatch: pytest.MonkeyPatch, enter: Callable[..., Client]) -> None:
    done = work(shop, jobs.Kind("Remove nobody", ("operators", "remove", "nobody@x.example"), after=("keys", "list")), monkeypatch)
    assert (done.state, done.exit_code) == (Job.State.FAILED, 3)
    assert b"there is no operator nobody@x.example" in enter(Role.EDITOR).get(f"/console/jobs/{done.key}").content


def test_what_a_dead_clerk_left_is_told(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    left = jobs.start("run", [], "ada", moment.now())
    Job.objects.update(state=Job.State.RUNNING)
    work(shop, jobs.Kind("List the keys", ("keys", "list")), monkeypatch)
    left.refresh_from_db()
    assert (left.state, left.said) == (Job.State.FAILED, "The worker ended while this ran. Start it again.")


def test_one_clerk_works_at_a_time(shop: Settings) -> None:
    with turn.alone(shop) as first, turn.alone(shop) as second:
        assert (first, second) == (True, False)


SHOP_TOML = '# mine\nname = "Old"  # the name\ncurrency = "EUR"\n\n[sender]\nname = \'Old\'\n\n[[sources]]\nname_ = 1\n'


def test_settings_are_written_where_they_stand_and_the_rest_stays(tmp_path: Path) -> None:
    toml = tmp_path / "rekindle.toml"
    toml.write_text(SHOP_TOML.replace("name_ = 1", 'file = "x.csv"'), encoding="utf-8")
    written = shop_settings.write(tmp_path, {"name": 'Mari"gold', "sender.name": "M", "sender.email": "a@b.example", "brand.url": "https://m.example"})
    assert (written.name, written.sender.name, written.sender.email, written.brand.url) == ('Mari"gold', "M", "a@b.example", "https://m.example")
    text = toml.read_text(encoding="utf-8")
    assert text.startswith('# mine\nname = "Mari\\"gold"  # the name\n')
    assert store_settings.load(tmp_path).sources[0].file == "x.csv"


def test_a_setting_that_cannot_be_used_changes_nothing(tmp_path: Path, enter: Callable[..., Client]) -> None:
    toml = tmp_path / "rekindle.toml"
    toml.write_text('name = "Old"\n', encoding="utf-8")
    with pytest.raises(BadData, match="ISO 4217"):
        shop_settings.write(tmp_path, {"currency": "XXY"})
    assert toml.read_text(encoding="utf-8") == 'name = "Old"\n'


def test_what_the_example_still_says_is_named_as_the_form_names_it(shop: Settings, enter: Callable[..., Client]) -> None:
    serve_as(shop.model_copy(update={"sender": Sender()}))
    page = enter(Role.ADMIN).get("/console/shop").content
    assert b"<li>Messages come from is still the example" in page
    assert b"sender.email" not in page


def test_an_admin_writes_the_shops_address(shop: Settings, enter: Callable[..., Client]) -> None:
    (shop.root / "rekindle.toml").write_text("", encoding="utf-8")
    client = enter(Role.ADMIN)
    form = {
        "name": "Marigold", "currency": "EUR", "timezone": "Europe/Berlin", "brand_url": "https://marigold.example",
        "sender_email": "hello@marigold.example", "sender_postal_address": "1 New Row, Bristol", "public_url": "https://marigold.example",
    }  # fmt: skip
    assert client.post("/console/shop", form).status_code == 302
    assert store_settings.load(shop.root).sender.postal_address == "1 New Row, Bristol"
    assert b"1 New Row, Bristol" in client.get("/console/shop").content
    assert client.post("/console/shop", {**form, "timezone": "Nowhere"}).status_code == 400
    assert store_in_use().timezone == "Europe/Berlin"


def test_what_another_process_saves_is_seen(shop: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(web, "_LOOK", 0.0)
    toml = shop.root / "rekindle.toml"
    toml.write_text('name = "Old"\n', encoding="utf-8")
    application(store_settings.load(shop.root))
    shop_settings.write(shop.root, {"name": "New", "public_url": "https://marigold.example/back"})
    assert (store_in_use().name, django_settings.SESSION_COOKIE_PATH) == ("New", "/back/console/")
    toml.write_text("name = ", encoding="utf-8")
    assert [store_in_use().name, store_in_use().name] == ["New", "New"]
    assert [line.partition(".")[0] for line in caplog.messages] == ["The settings stay as they were"]
    toml.write_text('name = "Newer"\ndatabase = "sqlite:///var/other.sqlite3"\n', encoding="utf-8")
    assert (store_in_use().name, store_in_use().database) == ("Newer", shop.database)
    assert len(caplog.messages) == 2, "that another ledger waits for the next start"


@pytest.mark.parametrize(
    ("rows", "decimal", "pattern"),
    [
        ((("26.11.2025", "12,50"), ("27.11.2025", "1.020,00")), ",", "%d.%m.%Y"),
        ((("11/26/2025", "12.50"),), ".", "%m/%d/%Y"),
        ((("2025-11-26", "1,020.00"),), ".", ""),
        ((("yesterday", "much"),), ".", ""),
    ],
)
def test_how_amounts_and_days_are_written_is_guessed_from_the_first_rows(rows: tuple[tuple[str, ...]], decimal: str, pattern: str) -> None:
    head = uploads.Head(("when", "sum"), rows)
    found = uploads.looks_of(head, {"ordered_at": "when", "total": "sum"}, ["%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y"])
    assert found == {"decimal": decimal, "time_format": pattern}
