"""The configuration as text: what may never be written into it, and what must not change it."""

import dataclasses
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazulite.serving.access_tokens import NO_ACCESS_TOKENS
from lazulite.serving.haproxy_config import FrontDoorSettings, render
from lazulite.serving.haproxy_text import quoted
from lazulite.serving.haproxy_traffic import turns
from lazulite.serving.routing import Deployment, Endpoint

SETTINGS = FrontDoorSettings(
    run_folder=Path("/run/lz"),
    control_socket=Path("/run/lz/control.sock"),
    certificate=Path("/tls/server.pem"),
    issuer="https://localhost/issuer",
    token_keys=(),
    hosts=("localhost",),
)
WAITING = "/run/lz/w.sock"
BLUE = Deployment(name="blue", sockets=("/run/lz/b.sock",), waiting=WAITING)
EVIL = ["a b", "a\nb", "a.b", "a/b", "a#b", "a'b", 'a"b', "a$b", "a%b", "", "ä", "a" * 129]


def endpoint(**changes):
    values = {"name": "ep", "uid": "u", "auth_mode": "key", "deployments": (BLUE,)}
    return Endpoint(**{**values, **changes})


@pytest.mark.parametrize("name", EVIL)
def test_name_that_could_break_out_is_refused(name):
    with pytest.raises(ValueError, match="endpoint"):
        endpoint(name=name)
    with pytest.raises(ValueError, match="deployment"):
        Deployment(name=name, sockets=(), waiting=WAITING)
    with pytest.raises(ValueError, match="uid"):
        endpoint(uid=name)


def test_mode_that_nobody_checks_and_names_that_break_lines_are_refused():
    with pytest.raises(ValueError, match="auth_mode"):
        endpoint(auth_mode="none")
    with pytest.raises(ValueError, match="scope"):
        endpoint(scope="/subscriptions/s\n/x")
    with pytest.raises(ValueError, match="caller"):
        endpoint(callers=("a b",))


@pytest.mark.parametrize(
    "path", ["b.sock", "/a b", "/a\n", "/a$HOME", "/a,b", "/a#b", '/a"', "/a'", "/" + "a" * 95, "/"]
)
def test_socket_path_that_haproxy_would_misread_is_refused(path):
    with pytest.raises(ValueError, match="socket path"):
        Deployment(name="blue", sockets=(path,), waiting=WAITING)
    with pytest.raises(ValueError, match="socket path"):
        Deployment(name="blue", sockets=(), waiting=path)
    with pytest.raises(ValueError, match="socket path"):
        render(dataclasses.replace(SETTINGS, control_socket=Path(path)), [], NO_ACCESS_TOKENS)


@pytest.mark.parametrize("digest", ["", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n"])
def test_key_hash_that_is_none_is_refused(digest):
    with pytest.raises(ValueError, match="key hash"):
        endpoint(key_hashes=(digest,))


@pytest.mark.parametrize(
    "traffic", [{"pink": 100}, {"blue": 101}, {"blue": -1}, {"blue": 50}, {"blue": True}]
)
def test_traffic_that_cannot_be_split_is_refused(traffic):
    with pytest.raises(ValueError, match="traffic"):
        endpoint(traffic=traffic)


@pytest.mark.parametrize(
    "field", ["request_timeout_ms", "max_queue_wait_ms", "max_concurrent", "most_instances"]
)
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "1"])
def test_limit_that_is_no_positive_whole_number_is_refused(field, value):
    with pytest.raises(ValueError, match=field):
        Deployment(name="blue", sockets=(), waiting=WAITING, **{field: value})


@pytest.mark.parametrize("changes", [{"issuer": "a\nb"}, {"certificate": Path("/a\nglobal")}])
def test_setting_with_a_line_break_is_refused(changes):
    by_token = endpoint(auth_mode="aml_token")
    with pytest.raises(ValueError, match="control characters"):
        render(dataclasses.replace(SETTINGS, **changes), [by_token], NO_ACCESS_TOKENS)


@pytest.mark.parametrize("host", ["a b", "a\nb", "", "*x", "a/b"])
def test_host_that_is_none_is_refused(host):
    with pytest.raises(ValueError, match="host"):
        render(dataclasses.replace(SETTINGS, hosts=(host,)), [], NO_ACCESS_TOKENS)


def test_quotes_are_joined_as_haproxy_joins_them():
    assert quoted('it\'s $HOME %[x] "y"') == "'it'\\''s $HOME %[x] \"y\"'"


def test_two_deployments_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two deployments"):
        endpoint(deployments=(BLUE, dataclasses.replace(BLUE, name="BLUE")))


def test_traffic_map_has_one_line_per_percent():
    green = dataclasses.replace(BLUE, name="green")
    split = endpoint(name="Ep", deployments=(BLUE, green), traffic={"green": 3, "blue": 97})

    slots = render(SETTINGS, [split], NO_ACCESS_TOKENS)["traffic.map"].splitlines()

    assert [slot.split()[0] for slot in slots] == [f"ep/{n}" for n in range(100)]
    assert [slot.split()[1] for slot in slots].count("Ep.green") == 3
    assert [slot.split()[1] for slot in slots].count("Ep.blue") == 97


cuts = st.lists(st.integers(0, 100), max_size=11).map(lambda inner: [0, *sorted(inner), 100])


@given(cuts, st.integers(0, 99), st.integers(0, 250))
def test_any_run_of_requests_is_shared_as_the_percentages_say(cuts, begin, length):
    shares = {f"d{n}": high - low for n, (low, high) in enumerate(itertools.pairwise(cuts))}
    order = turns(shares)

    run = [order[slot % 100] for slot in range(begin, begin + length)]

    assert {name: order.count(name) for name in shares} == shares
    assert all(abs(run.count(name) - length * shares[name] / 100) < 2 for name in shares)


def test_no_traffic_has_no_turns():
    assert turns({}) == turns({"blue": 0}) == []
