"""Which account a storage command means, and what it may show there: key, SAS or token.

The order is az's: options, then the AZURE_STORAGE_ variables, then the server that runs here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from lazulite.cli.connection import data_directory, server_certificates
from lazulite.cli.errors import NOT_FOUND, CommandError
from lazulite.cli.http import Answer, Http, Request, Sink
from lazulite.cli.progress import Progress
from lazulite.cli.remedies import clock
from lazulite.cli.report import Report
from lazulite.cli.shared_key import signed
from lazulite.cli.storage_arguments import StorageArguments
from lazulite.cli.workspace import Workspace

PROTOCOL_VERSION = "2021-08-06"
STORAGE_API = "2022-09-01"
STORAGE_SCOPE = "https://storage.azure.com/.default"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Account:
    """The Blob service of one account. At most one of key, sas and token is set."""

    http: Http
    name: str
    url: str
    key: str = dataclasses.field(default="", repr=False)
    sas: str = dataclasses.field(default="", repr=False)
    token: str = dataclasses.field(default="", repr=False)

    def address(self, container: str = "", blob: str = "") -> str:
        """The URL of what is named."""
        path = "/".join(part for part in (container, quote(blob, safe="/~")) if part)
        return f"{self.url}/{path}"

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        query: Mapping[str, str] | None = None,
        into: Sink | None = None,
    ) -> Answer:
        """The answer. Raises CommandError if it is not 2xx; exit code 3 for 404."""
        given = {name: value for name, value in (query or {}).items() if value}
        asked = "&".join(part for part in (urlencode(given, quote_via=quote), self.sas) if part)
        sent = {
            "x-ms-version": PROTOCOL_VERSION,
            "x-ms-date": format_datetime(datetime.now(UTC), usegmt=True),
            **{name: value for name, value in (headers or {}).items() if value},
        }
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        whole = f"{url}?{asked}" if asked else url
        data = body if body is not None or method != "PUT" else b""
        request = Request(method=method, url=whole, headers=sent, body=data)
        answer = self.http.send(signed(request, self.key) if self.key else request, into)
        if not answer.is_success:
            raise _failure(answer, f"{method} {url}")
        return answer


@dataclasses.dataclass(frozen=True)
class Storage:
    """One storage command. open_workspace: signs in to the server; may be costly, may fail."""

    arguments: StorageArguments
    environ: Mapping[str, str]
    report: Report
    open_workspace: Callable[[], Workspace]

    @cached_property
    def workspace(self) -> Workspace:
        """The server of the accounts; not needed where key or SAS are given."""
        return self.open_workspace()

    @cached_property
    def account(self) -> Account:
        """The account that options and environment name. Raises CommandError."""
        return find_account(self)

    def progress(self, what: str, total: int) -> Progress:
        """What counts bytes; without a word if --no-progress says so."""
        report = Report(quiet=True) if self.arguments.no_progress else self.report
        return Progress(what, total, report)

    def close(self) -> None:
        """Close what was opened."""
        for name, opened in vars(self).items():
            if name in {"account", "workspace"}:
                opened.http.close()

    def accounts(self) -> list[dict[str, Any]]:
        """The accounts of the resource group, over ARM."""
        scope = self.workspace.connection.workspace_id.partition("/providers/")[0]
        return list(self.workspace.call("GET", self._arm(_ACCOUNTS.format(scope))).value()["value"])

    def resource(self, name: str) -> dict[str, Any]:
        """The account of that name, or the only one. Raises CommandError."""
        found, name = self.accounts(), account_of(name)
        same = [one for one in found if one["name"] == name] if name else found
        if len(same) == 1:
            return same[0]
        names = ", ".join(sorted(one["name"] for one in found)) or "none"
        if name:
            message = f"The storage account {name!r} was not found; there is: {names}."
            raise CommandError("ResourceNotFound", message, exit_code=NOT_FOUND)
        message = f"Name the storage account with --account-name: there are {names}."
        raise CommandError("UsageError", message)

    def keys(self, account: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The account's keys."""
        return list(
            self.workspace.call("POST", self._arm(f"{account['id']}/listKeys")).value()["keys"]
        )

    def renewed_key(self, account: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        """The keys, after one of them was made anew."""
        url, body = self._arm(f"{account['id']}/regenerateKey"), {"keyName": key}
        return list(self.workspace.call("POST", url, body).value()["keys"])

    def _arm(self, path: str) -> str:
        return f"{self.workspace.connection.url}{path}?api-version={STORAGE_API}"


def account_of(name: str) -> str:
    """The plain name: datastores show `host:port/name`, so that clients need no DNS."""
    return name.rpartition("/")[2]


_ACCOUNTS = "{}/providers/Microsoft.Storage/storageAccounts"


def find_account(storage: Storage) -> Account:
    """The account and the credential; the key is looked up where none is given."""
    given, environ = storage.arguments, storage.environ
    said = _connection_string(
        given.connection_string or environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    )
    name = account_of(
        given.account_name or said.get("accountname") or environ.get("AZURE_STORAGE_ACCOUNT", "")
    )
    key = given.account_key or said.get("accountkey") or environ.get("AZURE_STORAGE_KEY", "")
    sas = given.sas_token or said.get("sharedaccesssignature", "")
    sas = (sas or ("" if key else environ.get("AZURE_STORAGE_SAS_TOKEN", ""))).lstrip("?")
    key = "" if given.sas_token else key
    url = given.blob_endpoint or said.get("blobendpoint", "")
    if given.auth_mode not in {"", "key", "login"}:
        message = f"--auth-mode {given.auth_mode!r} is neither key nor login."
        raise CommandError("UsageError", message)
    if given.auth_mode == "login" or not (key or sas) or not url:
        return _looked_up(storage, name, url, key=key, sas=sas)
    ca_file = server_certificates(data_directory(given.data_dir, environ), environ)
    return Account(
        http=Http(ca_file), name=name or _name(url), url=url.rstrip("/"), key=key, sas=sas
    )


def _looked_up(storage: Storage, name: str, url: str, *, key: str, sas: str) -> Account:
    found = storage.resource(name)
    url = url or found["properties"]["primaryEndpoints"]["blob"]
    account = Account(http=storage.workspace.http, name=found["name"], url=url.rstrip("/"))
    if storage.arguments.auth_mode == "login":
        return dataclasses.replace(account, token=storage.workspace.tokens.get(STORAGE_SCOPE))
    if not (key or sas):
        key = storage.keys(found)[0]["value"]
    return dataclasses.replace(account, key="" if sas else key, sas=sas)


def _connection_string(text: str) -> dict[str, str]:
    """Its settings by name in lower case. Raises CommandError."""
    parts = [part for part in text.strip().strip(";").split(";") if part]
    if bad := [part for part in parts if "=" not in part]:
        message = f"The connection string has no name=value at {bad[0][:20]!r}."
        raise CommandError("InvalidConnectionString", message)
    return {name.strip().lower(): value for name, _, value in (p.partition("=") for p in parts)}


def _name(url: str) -> str:
    """The account of an endpoint, whose name stands in the host or in the path."""
    parts = urlsplit(url)
    first = parts.path.strip("/").split("/")[0] or parts.netloc
    return first.partition(".")[0]


def _failure(answer: Answer, doing: str) -> CommandError:
    code = answer.headers.get("x-ms-error-code") or str(answer.status)
    said = unquote(answer.body.decode(errors="replace"))
    text = said.partition("<Message>")[2].partition("</Message>")[0] or said[:500] or code
    message = f"{doing} was answered {answer.status}: {text.splitlines()[0]}"
    if answer.status == 403:  # signatures are refused when clocks differ
        message += clock(answer.headers, datetime.now(UTC))
    return CommandError(code, message, exit_code=NOT_FOUND if answer.status == 404 else 1)
