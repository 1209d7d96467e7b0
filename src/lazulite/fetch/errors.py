"""Why something was not fetched: one error, whose code says whether the address or the server."""

from __future__ import annotations

from lazulite.core.errors import LazuliteError

NOT_ALLOWED = "UrlNotAllowed"
NOT_REACHABLE = "DataNotReachable"
TOO_LARGE = "DataTooLarge"


class FetchError(LazuliteError):
    """A fetch that failed. Its message has no query of a URL, which may be a signature."""

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        """code: one of those above; status: what the other server answered, if it did."""
        super().__init__(code, message)
        self.status = status


def not_allowed(shown: str, why: str) -> FetchError:
    """The address is refused before anything is sent."""
    return FetchError(NOT_ALLOWED, f"The URL {shown[:500]!r} is not fetched: {why}.")


def not_reachable(shown: str, why: str, status: int | None = None) -> FetchError:
    """The other server does not give it."""
    return FetchError(NOT_REACHABLE, f"{shown[:500]!r} cannot be fetched: {why}.", status=status)


def too_large(message: str) -> FetchError:
    """It has more bytes than are fetched or kept."""
    return FetchError(TOO_LARGE, message)
