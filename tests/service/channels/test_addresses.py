"""Where a message may be posted to. The hostile addresses are those that lists of SSRF payloads have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.errors import DeliveryError, PermanentFailure, TemporaryFailure
from rekindle.service.channels.addresses import addresses_of, is_public, place_of

PUBLIC, PRIVATE = "93.184.215.14", "10.0.0.7"

NOT_ADDRESSES = [
    "", "hook.example", "//hook.example/x", "ftp://hook.example/", "file:///etc/passwd", "gopher://hook.example/_x", "https://", "https:///x",
    "https://user@hook.example/", "https://hook.example@127.0.0.1/", "https://user:pass@hook.example/", "https://hook.example:99999/",
    "https://hook.example:port/", "https://hook.example\\@127.0.0.1/", "https://hook.example/\r\nHost: inner", "https://hook.example/ x",
    "https://hook.example/\x00", "https://höök.example/", "https://[::1", "javascript:alert(1)", "data:text/plain,x",
    "https://hook.example:0/", "https://" + "a" * 2_000,
]  # fmt: skip

INNER = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0",  # noqa: S104  an address that must not be reached
    "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "169.254.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.255", "192.0.0.192", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:a00:1", "::127.0.0.1", "64:ff9b::10.0.0.1",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1", "2001:db8::1", "100::1", "2001:0:7f00:1::80ff:fffe",
]  # fmt: skip


def leads_to(*addresses: str):
    return lambda host, port: list(addresses)


@pytest.mark.parametrize("url", NOT_ADDRESSES)
def test_what_is_no_address_is_refused_for_good(url: str) -> None:
    with pytest.raises(PermanentFailure):
        place_of(url)


@pytest.mark.parametrize("address", INNER)
def test_a_name_that_leads_inside_is_refused_for_good(address: str) -> None:
    assert not is_public(address)
    place = place_of("https://hook.example/x")
    with pytest.raises(PermanentFailure, match=r"hook\.example leads into a private network"):
        addresses_of(place, private=False, lookup=leads_to(address))


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808", "2002:808:808::"])
def test_the_internet_at_large_is_reached(address: str) -> None:
    assert addresses_of(place_of("https://hook.example/x"), private=False, lookup=leads_to(address)) == [address]


def test_one_inner_address_among_others_refuses_all() -> None:
    with pytest.raises(PermanentFailure, match="private network"):
        addresses_of(place_of("https://hook.example/"), private=False, lookup=leads_to(PUBLIC, PRIVATE))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "localhost", "[::1]", "[::ffff:7f00:1]"])
def test_every_way_of_writing_this_machine_is_refused(host: str) -> None:
    """Looked up by the system itself, which takes numbers in all these forms."""
    with pytest.raises(PermanentFailure, match="private network"):
        addresses_of(place_of(f"https://{host}/latest/meta-data"), private=False)


@pytest.mark.parametrize(("url", "addresses"), [("http://hook.example/", [PUBLIC]), ("http://hook.example/", [PUBLIC, PRIVATE])])
def test_nothing_crosses_the_internet_without_tls(url: str, addresses: list[str]) -> None:
    for private in (False, True):
        with pytest.raises(PermanentFailure, match="without TLS"):
            addresses_of(place_of(url), private=private, lookup=leads_to(*addresses))


def test_the_own_network_is_reached_where_it_is_meant() -> None:
    assert addresses_of(place_of("http://bridge.local:8080/"), private=True, lookup=leads_to(PRIVATE)) == [PRIVATE]
    assert addresses_of(place_of("https://bridge.local/"), private=True, lookup=leads_to(PRIVATE)) == [PRIVATE]


def test_a_name_that_nobody_knows_now_may_be_known_later() -> None:
    with pytest.raises(TemporaryFailure, match="stands for no address"):
        addresses_of(place_of("https://hook.example/"), private=False, lookup=leads_to())
    with pytest.raises(TemporaryFailure, match="cannot be looked up"):
        addresses_of(place_of("https://name.invalid/"), private=False)


def test_a_place_says_its_host_as_the_header_has_it() -> None:
    named = [place_of(url).named for url in ("https://Hook.Example/", "https://hook.example:8443/", "http://[::1]:80/a", "http://[::1]:81/")]
    assert named == ["hook.example", "hook.example:8443", "[::1]", "[::1]:81"]
    assert place_of("https://hook.example/a/b?c=d#e").path == "/a/b?c=d"
    assert place_of("https://hook.example?c=d").path == "/?c=d"


@given(st.text(max_size=60))
def test_any_text_is_a_place_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://hook.example/{text}"):
        try:
            place = place_of(url)
            addresses_of(place, private=False, lookup=leads_to(PRIVATE))
        except DeliveryError:
            continue
        pytest.fail(f"{url!r} was let inside")
