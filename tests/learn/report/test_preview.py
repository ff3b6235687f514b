import pytest

from rekindle.learn.report.preview import inert, inert_style

from . import marigold


def body(mail: str) -> str:
    return inert(mail).split("<body>")[1].removesuffix("</body></html>")


def test_a_mail_keeps_its_words_and_look():
    shown = inert(marigold.MESSAGES[0].html)
    assert "Since September we ship lamps with a second carrier" in shown
    assert "background:#1f5f5b;color:#fff;padding:12px 20px" in shown
    assert ".c{max-width:560px" in shown
    assert '<div style="background:#f3f1ec;padding:20px 8px' in shown


def test_a_mail_loses_everything_that_acts_or_loads():
    shown = inert(marigold.MESSAGES[0].html).lower()
    for poison in (
        "http://",
        "https://",
        "href",
        "<script",
        "onclick",
        "<link",
        "@import",
        "url(",
        "[if mso]",
        "document.title",
        "open.gif",
    ):
        assert poison not in shown


@pytest.mark.parametrize(
    ("mail", "shown"),
    [
        ("<p>a<script>b</script>c</p>", "<p>ac</p>"),
        ('<img src="data:image/png;base64,AAAA" onerror=x alt=y>', '<img alt="y" src="data:image/png;base64,AAAA">'),
        ('<img src="data:image/svg+xml;base64,AAAA">', ""),
        ('<img src="//evil.example/x.png" alt="a <b">', "a &lt;b"),
        ("<svg><a href=x>d</a></svg>e", "e"),
        ("<form action=x><b>f</b></form>", "<b>f</b>"),
        ('<p style="background:u\\72l(x)">g</p>', '<p style="">g</p>'),
        ("<![if !mso]><p>h</p><![endif]><![strange[i]]>", "<p>h</p>"),
        ("<style>p{color:red}@import 'x';</style>", "<style>p{color:red}</style>"),
        ("<style><p>j</style>", "<style></style>"),
        ("<iframe src=x><p>k</p></iframe>l", "l"),
        ("a &lt;b&gt; &amp;amp;", "a &lt;b&gt; &amp;amp;"),
        ("<p><br/>m", "<p><br>m"),
        ("n<!-- o -->", "n"),
        ("<!--[if mso]><td><![endif]-->p<!--[if !mso]><!-->q<!--<![endif]-->", "pq"),
    ],
)
def test_the_lists_decide(mail, shown):
    assert body(mail) == shown


def test_a_style_that_may_still_fetch_is_dropped_whole():
    assert inert_style("a:image-set('x' 1x)") == ""
    assert inert_style("margin:0 auto") == "margin:0 auto"
    assert inert_style(".curly{color:red}") == ".curly{color:red}"
