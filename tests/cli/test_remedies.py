"""What a person can do about a server that is not reached, not trusted, or refuses."""

import ssl
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from lazulite.cli.errors import CommandError
from lazulite.cli.remedies import clock, refused, unreachable, untrusted

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)


def certificate(code, origin="https://ml.example.org:8443"):
    error = ssl.SSLCertVerificationError("bad")
    error.verify_code, error.verify_message = code, "it is bad."
    return untrusted(origin, error, NOW).message


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (9, "clock says 2030-01-31 12:00 UTC"),
        (10, "start the server again, which renews its certificates"),
        (62, "`lazulite up --names ml.example.org`"),
        (19, "SSL_CERT_FILE"),
    ],
)
def test_a_certificate_that_is_not_trusted(code, remedy):
    assert remedy in certificate(code)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://ml.example.org", "ml.example.org"),
        ("https://10.0.0.7", "10.0.0.7"),
        ("https://[fd00::7]:8443", "fd00::7"),
        ("https://[fd00::7]", "fd00::7"),
    ],
)
def test_the_name_that_a_certificate_lacks_is_told_without_its_port(origin, host):
    assert f"`lazulite up --names {host}`" in certificate(62, origin)


@pytest.mark.parametrize(
    ("origin", "error", "remedy"),
    [
        ("https://h:1", ConnectionRefusedError("refused"), "`lazulite up` starts it"),
        ("https://h:1", ssl.SSLError("wrong version number"), "begins with http://"),
        ("http://h:1", ConnectionResetError("reset"), "begins with https://"),
    ],
)
def test_a_server_that_is_not_reached(origin, error, remedy):
    found = unreachable(origin, error)
    assert found.code == "ServerNotReachable"
    assert remedy in found.message


def test_a_missing_role_is_told_with_the_command_that_gives_it(server, lazulite):
    message = "The client 'x' does not have authorization over scope '/subscriptions/s' or so."
    body = {"error": {"code": "AuthorizationFailed", "message": message}}
    server.answer("GET", "computes", 403, body)
    code, _, err = lazulite("ml", "compute", "list")
    assert code == 1
    command = "lazulite role assignment create --assignee c1 --role ROLE --scope /subscriptions/s"
    assert f"`{command}`" in err


def test_other_errors_stay_as_they_are():
    error = CommandError("Conflict", "over scope '/x'")
    assert refused(error, "c") is error


@pytest.mark.parametrize(
    ("hour", "said"), [(12, ""), (11, "60 minutes ahead of"), (13, "60 minutes behind")]
)
def test_clocks_that_differ_are_told(hour, said):
    date = format_datetime(NOW.replace(hour=hour), usegmt=True)
    assert (said in clock({"date": date}, NOW)) is True
    assert bool(clock({"date": date}, NOW)) is bool(said)


def test_an_answer_without_a_date_says_nothing_of_clocks():
    assert clock({}, NOW) == ""


def test_a_url_without_a_scheme_is_refused(server, lazulite, monkeypatch):
    monkeypatch.setenv("LAZULITE_URL", "localhost:8443")
    code, _, err = lazulite("ml", "compute", "list")
    assert code == 1
    assert "(InvalidUrl) LAZULITE_URL 'localhost:8443'" in err
