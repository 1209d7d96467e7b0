"""HTTP POST at addresses that the rules allow. Nothing is followed and nothing comes back."""

from __future__ import annotations

from lazulite.fetch.errors import not_reachable
from lazulite.fetch.limits import Limits
from lazulite.fetch.rules import Rules
from lazulite.fetch.session import Fetcher
from lazulite.fetch.urls import parse_url

LIMITS = Limits(size=65_536, seconds=10.0, window_s=5.0, connect_s=3.0, redirects=0)


class Poster:
    """Sends JSON to other servers, within a few seconds each."""

    def __init__(self, rules: Rules) -> None:
        """rules: of what may be reached."""
        self._fetcher = Fetcher(rules, LIMITS)

    def post(self, url: str, body: bytes) -> None:
        """Send it. Raises FetchError unless the answer is 2xx, or if the URL is not allowed."""
        with self._fetcher.session() as session, session.post(url, body) as answer:
            if not 200 <= answer.status < 300:
                shown = parse_url(url).shown
                raise not_reachable(shown, f"it answered {answer.status}", answer.status)
