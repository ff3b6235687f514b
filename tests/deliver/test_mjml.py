import subprocess
import sys
import threading
import time

import pytest

from rekindle.deliver.mjml import DEPTH_LIMIT, page_of
from rekindle.errors import BadData
from rekindle.service.flow.content import shipped_content

N = 10_000
DEEP = {
    "in another": "<div>" * N + "</div>" * N,
    "with attributes": "<div a='>' b=\"/>\">" * N,
    "ends in attributes": "<div a='</div>'>" * N,
    "ends in comments": "<div><!-- </div> -->" * N,
    "in capitals": "<BR>" * N,
    "by other names": "<é><_a><a:b><a.b>" * N,
    "over lines": "<div\n>" * N,
    "for Outlook": "<!--[if mso]>" + "<div>" * N + "<![endif]-->",
    "for Outlook, one by one": "<!--[if mso]><div><![endif]-->" * N,
    "for Outlook, apart": "<!-- [if mso]>" + "<div>" * N + "<![endif]-->",
    "for Outlook, shouting": "<!--[IF MSO]>" + "<div>" * N + "<![ENDIF]-->",
    "in a comment that is none": "<div><!--></div>-->" * N,
    "for all but Outlook": "<!--[if !mso]><!-->" + "<div>" * N + "<!--<![endif]-->",
}
SHALLOW = {
    "tags that hold nothing": "<br><hr><img><meta>" * N,
    "tags that are closed at once": "<div />" * N,
}
SLOW = {
    "quotes": '<a "' * 50_000, "two kinds of quotes": "<a \"<b '" * 25_000, "comments": "<!--" * 50_000, "brackets": "<" * 199_000,
    "a long name": "<" + "a" * 199_000, "names": "<a " * 66_000,
}  # fmt: skip


def within(what: str) -> str:
    return f"<mjml><mj-body><mj-raw>{what}</mj-raw></mj-body></mjml>"


def test_a_document_becomes_a_page() -> None:
    assert "<p>Hello<br /></p>" in page_of(within("<p>Hello<br></p>"), "a.mjml")


@pytest.mark.parametrize("what", DEEP.values(), ids=DEEP)
def test_what_is_too_deep_is_refused(what: str) -> None:
    with pytest.raises(BadData, match=r"a\.mjml: the MJML has more than 200,000 characters or 200 tags"):
        page_of(within(what[:190_000]), "a.mjml")


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(BadData, match="200,000 characters"):
        page_of(within("x" * 200_001), "a.mjml")


@pytest.mark.parametrize("what", SHALLOW.values(), ids=SHALLOW)
def test_what_only_looks_deep_is_read(what: str) -> None:
    """In a process of its own, which the reader of MJML would end."""
    code = "import sys; from rekindle.deliver.mjml import page_of; print(len(page_of(sys.stdin.read(), 'a')))"
    run = subprocess.run([sys.executable, "-c", code], input=within(what), check=True, capture_output=True, text=True)
    assert int(run.stdout) > 2_000


@pytest.mark.parametrize("what", SLOW.values(), ids=SLOW)
def test_counting_takes_no_longer_than_reading(what: str) -> None:
    before = time.monotonic()
    with pytest.raises(BadData):
        page_of(within(what[:199_000]), "a.mjml")
    assert time.monotonic() - before < 5


@pytest.mark.parametrize(
    "mjml", ["", "<mjml>", "<mjml><mj-body><mj-include path='/etc/hostname' /></mj-body></mjml>", "<mjml><mj-what /></mjml>"]
)
def test_what_is_no_document_is_refused_by_name(mjml: str) -> None:
    with pytest.raises(BadData, match=r"a\.mjml: the MJML cannot be read"):
        page_of(mjml, "a.mjml")


@pytest.mark.parametrize("tag", ["i", "mj-wrapper"])
def test_as_deep_as_it_may_be_is_read_in_a_thread(tag: str) -> None:
    deep = f"<{tag}>" * (DEPTH_LIMIT - 3) + f"</{tag}>" * (DEPTH_LIMIT - 3)
    mjml = within(deep) if tag == "i" else f"<mjml><mj-body>{deep}</mj-body></mjml>"
    pages: list[str] = []
    reading = threading.Thread(target=lambda: pages.append(page_of(mjml, "a")))
    reading.start()
    reading.join()
    assert len(pages) == 1


def test_the_shipped_layout_is_nowhere_near_the_limit() -> None:
    texts = shipped_content().texts
    assert all(text.count("<mj-") < DEPTH_LIMIT for name, text in texts.items() if name.endswith(".mjml"))
