"""Which visits of a message's links, and which opens of a mail, were a machine's: scanners follow every link before a person sees one.

Knows nothing of how visits are recorded. The visits themselves are kept, so that a rule can be revised and every visit judged anew.
"""

import ibis
import ibis.expr.types as ir

SOON = 30
"""Seconds after the hand-over within which only a scanner follows a link. A person that fast is missed; no lift counts clicks."""

TOGETHER = 10
"""Seconds within which nobody follows three different links of one message."""

AT_ONCE = 3

AGENTS = (
    "bot", "spider", "crawl", "scan", "preview", "proxy", "urlcheck", "monitor", "curl", "wget", "python-", "go-http", "java/", "headless",
    "barracuda", "proofpoint", "mimecast", "symantec", "safelinks", "microsoft office", "ms-office", "slackbot", "facebookexternalhit",
)  # fmt: skip
"""Words in the name that a program gives itself, in lower case."""

READERS = ("googleimageproxy", "yahoomailproxy")
"""Proxies that load a mail's pictures when a person opens it, in lower case."""

PREFETCHER = "mozilla/5.0"
"""All that Apple's mail privacy says of itself; it opens every mail, read or not."""


def opener(agent: str, seconds: float | None) -> str | None:
    """Why an open of a mail was a machine's; None where it may have been a person's. No lift counts opens.

    Args:
        agent: What the program calls itself.
        seconds: From the hand-over to the open; None where unknown.

    >>> opener("Mozilla/5.0", 4_000), opener("Mozilla/5.0 (Windows NT 5.1) Firefox/11.0 (via ggpht.com GoogleImageProxy)", 60)
    ('agent', None)
    >>> opener("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)", 3), opener("", 60)
    ('at once', 'agent')
    """
    name = agent.strip().lower()
    for reader in READERS:
        name = name.replace(reader, "reader")
    if name in ("", PREFETCHER) or any(word in name for word in AGENTS):
        return "agent"
    return "at once" if seconds is not None and seconds < SOON else None


def judged(visits: ir.Table) -> ir.Table:
    """The visits with `machine`: why it was a machine's, null where it may have been a person's.

    Args:
        visits: touch (int), destination (int; 0 the hidden one, less than 0 a page about the message), visited_at, sent_at (timestamps;
            sent_at null where unknown), agent (what the program calls itself), network (a keyed hash of where it came from).

    Returns:
        The visits and `machine`, one of "hidden link", "agent", "at once", "all links".
    """
    seconds = ibis.literal(1).as_interval("s")
    source = ibis.window(group_by=["touch", "network"])
    trapped = (visits.destination == 0).any().over(source)
    named = ibis.or_(*(visits.agent.lower().contains(word) for word in AGENTS)) | (visits.agent.strip() == "")
    prompt = (visits.visited_at < visits.sent_at + SOON * seconds).fill_null(False)
    near = ibis.range_window(
        group_by="touch", order_by="second", preceding=TOGETHER, following=TOGETHER
    )
    placed = visits.mutate(second=visits.visited_at.epoch_seconds(), trapped=trapped, named=named, prompt=prompt)
    placed = placed.mutate(links=placed.destination.collect().over(near).unique().length())
    why = ibis.cases(
        (placed.trapped, "hidden link"), (placed.named, "agent"), (placed.prompt, "at once"), (placed.links >= AT_ONCE, "all links"),
        else_=ibis.null("string"),
    )
    return placed.mutate(machine=why).drop("second", "trapped", "named", "prompt", "links")
