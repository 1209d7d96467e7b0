"""Messages to webhooks: sent where the rules allow, and never anywhere else."""

import pytest

from lazulite.fetch.errors import FetchError
from lazulite.fetch.posting import Poster
from lazulite.fetch.rules import Rules


@pytest.fixture
def poster():
    """One that may send to loopback."""
    return Poster(Rules.parse(["127.0.0.1"], []))


def test_a_body_is_sent_as_json(web, poster):
    web.serve("/hook", b"")
    poster.post(f"{web.url}/hook?key=1", b'{"a": 1}')
    [(method, path, headers)] = web.seen
    assert (method, path, web.bodies) == ("POST", "/hook?key=1", [b'{"a": 1}'])
    assert headers["Content-Type"] == "application/json"


def test_an_answer_other_than_2xx_is_an_error_that_hides_the_query(web, poster):
    web.serve("/hook", b"", status=500)
    with pytest.raises(FetchError) as failed:
        poster.post(f"{web.url}/hook?key=secret", b"{}")
    assert failed.value.status == 500
    assert "secret" not in failed.value.message


def test_a_redirect_is_not_followed(web, poster):
    web.redirect("/hook", f"{web.url}/other")
    with pytest.raises(FetchError):
        poster.post(f"{web.url}/hook", b"{}")
    assert len(web.seen) == 1


def test_an_address_that_is_not_allowed_gets_nothing(web):
    with pytest.raises(FetchError) as refused:
        Poster(Rules()).post(f"{web.url}/hook", b"{}")
    assert refused.value.code == "UrlNotAllowed"
    assert web.seen == []
