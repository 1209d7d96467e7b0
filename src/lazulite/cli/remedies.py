"""What a person can do when the server cannot be reached, is not trusted, or refuses."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from lazulite.cli.errors import CommandError

SKEW = timedelta(minutes=5)
"""How far clocks may be apart before that is worth a word; signatures allow 15 minutes."""
_NOT_YET_VALID, _EXPIRED, _OTHER_HOST = 9, 10, 62
"""Of OpenSSL's X509_V_ERR_ codes."""
_SCOPE = re.compile(r"over scope '(?P<scope>[^']+)'")


def untrusted(origin: str, error: ssl.SSLCertVerificationError, now: datetime) -> CommandError:
    """For a certificate that does not prove who the server is."""
    remedy = (
        "Set SSL_CERT_FILE to the server's CA bundle; `lazulite env` on the server prints its path."
    )
    if error.verify_code in {_NOT_YET_VALID, _EXPIRED}:
        remedy = (
            f"This machine's clock says {now:%Y-%m-%d %H:%M} UTC: set it if that is wrong, else"
            " start the server again, which renews its certificates."
        )
    elif error.verify_code == _OTHER_HOST:
        host = urlsplit(origin).hostname
        remedy = f"Start the server with `lazulite up --names {host}`, or use a name that it has."
    told = f"The certificate of {origin} is not trusted: {error.verify_message.rstrip('.')}."
    return CommandError("CertificateNotTrusted", f"{told} {remedy}")


def unreachable(origin: str, error: Exception) -> CommandError:
    """For a server that does not answer, or that speaks something else."""
    told = f"{origin} did not answer: {error or type(error).__name__}."
    if isinstance(error, ssl.SSLError):
        remedy = "If the server speaks plain HTTP there, the address begins with http://."
    elif origin.startswith("http://"):
        remedy = (
            "If the server speaks TLS there, the address begins with https://. `lazulite status`"
            " tells whether the server runs, `lazulite up` starts it."
        )
    else:
        remedy = (
            "`lazulite status` tells whether the server runs, `lazulite up` starts it; LAZULITE_URL"
            " is the address of one elsewhere."
        )
    return CommandError("ServerNotReachable", f"{told} {remedy}")


def refused(error: CommandError, client_id: str) -> CommandError:
    """The error of a missing role with the command that gives it; any other as it is."""
    found = _SCOPE.search(error.message)
    if error.code != "AuthorizationFailed" or not found:
        return error
    command = (
        f"lazulite role assignment create --assignee {client_id} --role ROLE"
        f" --scope {found['scope']}"
    )
    told = (
        f"{error.message}\nAn owner of the scope can give a role: `{command}`."
        " `lazulite role definition list -o table` shows the roles."
    )
    return CommandError(error.code, told, exit_code=error.exit_code, status=error.status)


def clock(headers: Mapping[str, str], now: datetime) -> str:
    """A sentence about clocks if this machine's is not the server's, else nothing.

    headers: of an answer, by names in lower case.
    """
    try:
        theirs = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return ""
    apart = now - theirs.replace(tzinfo=theirs.tzinfo or UTC)
    if abs(apart) < SKEW:
        return ""
    minutes, side = round(abs(apart).total_seconds() / 60), "ahead of" if apart > SKEW else "behind"
    return f" This machine's clock is {minutes} minutes {side} the server's: set it."
