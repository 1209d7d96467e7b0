"""Nobody makes the server fetch what only the server can reach. Source: spec/SECURITY.md 2.4."""

import socket
from ipaddress import ip_address

import pytest

from lazulite.core.settings import SettingError
from lazulite.fetch.errors import FetchError
from lazulite.fetch.rules import Rules
from lazulite.fetch.session import Fetcher
from lazulite.fetch.urls import parse_url
from tests.fetch.conftest import PATIENT

PRIVATE = [
    *("127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "0.0.0.0"),
    *("169.254.169.254", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1"),
    *(
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1",
    ),
    *("64:ff9b:1::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1"),
]
PUBLIC = ["93.184.216.34", "20.60.1.1", "2606:4700::1111", "64:ff9b::5db8:d822"]


def get(fetcher, url):
    with fetcher.session() as session, session.get(url) as answer:
        return answer.status, answer.read(1 << 20)


def refused(fetcher, url):
    with pytest.raises(FetchError) as error:
        get(fetcher, url)
    assert error.value.code == "UrlNotAllowed", str(error.value)
    return str(error.value)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_not_connected_to(address):
    fetcher = Fetcher(limits=PATIENT, resolve=lambda host, port: [address])
    assert "LAZULITE_FETCH_ALLOW" in refused(fetcher, "http://innocent.example/")


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_admitted(address):
    assert Rules().admits(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:1/", "http://[::1]/", "http://[::ffff:7f00:1]/", "http://0/"),
        *("http://169.254.169.254/metadata", "http://2130706433/", "http://0x7f.1/"),
        *("http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://localhost/"),
        *("http://127.0.0.1./", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/"),
        *(
            "http://good.example@127.0.0.1/",
            "http://user:pw@good.example/",
            "http://@good.example/",
        ),
        *("https://ok.example/../x", "https://ok.example/a/%2e%2e/x", "https://ok.example/..%2fx"),
        *("gopher://ok.example/", "file:///etc/passwd", "ftp://ok.example/", "unix:/var/run/x"),
        *(
            "http:///etc/passwd",
            "http:///#/../../../etc/",
            "http://",
            "//ok.example/",
            "ok.example",
        ),
        *("http://ok.example\\@127.0.0.1/", "http://ok.example#@127.0.0.1/", "http://a b/"),
        *("http://ok.example:99999/", "http://ok.example:x/", "http://ok.example/\r\nHost: x"),
        *("http://ok.example/\0", "http://-/", "http://a..b/", "jar:http://ok.example!/", ""),
    ],
)
def test_such_a_url_is_refused_before_anything_is_sent(url):
    def resolve(host, port):
        assert host in {"127.0.0.1", "::1", "::ffff:7f00:1", "169.254.169.254", "localhost"}, host
        return ["127.0.0.1"]

    refused(Fetcher(limits=PATIENT, resolve=resolve), url)


def test_a_name_is_resolved_once_and_the_checked_address_is_used(web):
    """A name that changes its answer between check and connection gains nothing."""
    web.serve("/", b"ours")
    asked = []

    def resolve(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    fetcher = Fetcher(Rules.parse(["127.0.0.0/8"], []), PATIENT, resolve)
    assert get(fetcher, f"http://rebinding.example:{web.port}/")[1] == b"ours"
    assert asked == ["rebinding.example"]
    assert web.seen[0][2]["Host"] == f"rebinding.example:{web.port}"


def test_of_several_addresses_only_public_ones_are_tried(monkeypatch):
    tried = []

    def connect(address, timeout):
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    fetcher = Fetcher(limits=PATIENT, resolve=lambda *_: ["127.0.0.1", "93.184.216.34", "::1"])
    with pytest.raises(FetchError) as error:
        get(fetcher, "http://mixed.example/")
    assert (error.value.code, tried) == ("DataNotReachable", ["93.184.216.34"])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "to",
    [
        "http://10.0.0.1/",
        "http://localhost/",
        "file:///etc/passwd",
        "//10.0.0.1/x",
        "https://ok.example/",
    ],
)
def test_a_redirect_is_checked_as_the_first_url_is(web, status, to):
    web.redirect("/", to, status)
    rules = Rules.parse([f"127.0.0.1:{web.port}"], [])
    refused(Fetcher(rules, PATIENT), f"{web.url}/")


def test_a_redirect_within_what_is_allowed_is_followed_thrice(web, fetcher):
    web.serve("/end", b"data")
    for number in range(4):
        web.redirect(f"/{number}", f"/{number - 1}" if number else "/end")
    assert get(fetcher, f"{web.url}/2")[1] == b"data"
    assert "too often" in refused(fetcher, f"{web.url}/3")


def test_credentials_are_not_carried_to_where_a_redirect_leads(web, fetcher):
    web.redirect("/", "/end")
    with (
        fetcher.session() as session,
        pytest.raises(FetchError, match="credentials"),
        session.get(f"{web.url}/", {"Authorization": "SharedKey a:b"}),
    ):
        pytest.fail("it was followed")
    assert [path for _, path, _ in web.seen] == ["/"]


def test_proxies_of_the_environment_are_not_used(web, fetcher, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    web.serve("/", b"direct")
    assert get(fetcher, f"{web.url}/")[1] == b"direct"


@pytest.mark.parametrize(
    ("allow", "host", "port"),
    [
        ("mirror.example", "mirror.example", 80),
        ("mirror.example:8080", "mirror.example", 8080),
        ("*.mirror.example", "a.b.mirror.example", 80),
        ("10.0.0.0/8", "anything.example", 80),
        ("::1", "::1", 8080),
    ],
)
def test_what_the_administrator_lists_is_allowed(allow, host, port):
    rules = Rules.parse([allow], [])
    shown = f"[{host}]" if ":" in host else host
    url = parse_url(f"http://{shown}:{port}/")
    address = ip_address("10.1.1.1" if "." in host else host)
    assert rules.trusts(url) or rules.admits(address)
    other = parse_url("http://other.example:81/")
    assert not rules.trusts(other)


def test_an_alias_is_fetched_where_it_points_the_longest_prefix_first(web):
    web.serve("/account/data/x.csv", b"mirror")
    web.serve("/special/x.csv", b"special")
    rules = Rules.parse(
        [],
        [
            f"https://public.blob.core.windows.net={web.url}/account",
            f"https://public.blob.core.windows.net/data/special={web.url}/special",
        ],
    )
    fetcher = Fetcher(rules, PATIENT)
    root = "https://public.blob.core.windows.net/data"
    assert get(fetcher, f"{root}/x.csv")[1] == b"mirror"
    assert get(fetcher, f"{root}/special/x.csv")[1] == b"special"
    refused(fetcher, f"{web.url}/elsewhere")  # only the target is allowed, not its whole host
    refused(fetcher, f"{web.url}/account-2/x")
    assert rules.resolved(parse_url(f"{root}-2/x")).path == "/account/data-2/x"
    assert rules.resolved(parse_url("https://other.example/x")).host == "other.example"


@pytest.mark.parametrize(
    ("allow", "aliases"),
    [
        (["http://host/"], []),
        (["a b"], []),
        (["host/path"], []),
        (["10.0.0.0/33"], []),
        ([], ["https://a.example"]),
        ([], ["https://a.example=ftp://b.example"]),
        ([], ["a=b"]),
        ([], ["https://a.example?x=http://b.example"]),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(allow, aliases):
    with pytest.raises(SettingError) as error:
        Rules.parse(allow, aliases)
    assert repr((allow or aliases)[0]) in str(error.value)
