"""`rest`: any request to the server, as `az rest` sends it.

URLs of Azure's resource manager are taken as this server's, so that scripts run as they are. A
token goes to this server only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from lazulite.cli.arguments import Arguments
from lazulite.cli.changes import pairs
from lazulite.cli.connection import read_server
from lazulite.cli.errors import CommandError, from_body
from lazulite.cli.http import Answer, Request
from lazulite.cli.workspace import Workspace

_AZURE = "https://management.azure.com"
_METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS")


def rest(workspace: Workspace, arguments: Arguments) -> Any:
    """What the server answers; with --output-file, that is written instead.

    Raises CommandError if the answer is not 2xx.
    """
    method = (arguments.method or "GET").upper()
    if method not in _METHODS:
        rule = f"--method {arguments.method!r} is not one of {', '.join(_METHODS).lower()}."
        raise CommandError("InvalidArgument", rule)
    url, body = _url(workspace, arguments), _body(arguments.body)
    headers = {"Accept": "application/json", **_headers(arguments)}
    if body is not None and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = "application/json"
    if _is_ours(workspace, url) and not arguments.skip_authorization:
        headers.setdefault("Authorization", f"Bearer {_token(workspace, arguments.resource)}")
    answer = workspace.http.send(Request(method=method, url=url, headers=headers, body=body))
    if not answer.is_success:
        raise from_body(answer.value(), status=answer.status, asked=f"{method} {url}")
    return _told(answer, arguments.output_file)


def _url(workspace: Workspace, arguments: Arguments) -> str:
    known = workspace.connection
    url = arguments.url.replace("{subscriptionId}", known.subscription_id)
    if url.lower().startswith(f"{_AZURE}/"):
        url = url[len(_AZURE) :]
    if url.startswith("/"):
        url = known.url + url
    if urlsplit(url).scheme not in {"http", "https"}:
        rule = f"--url {arguments.url!r} must be a URL, or a path such as /subscriptions."
        raise CommandError("InvalidArgument", rule)
    if not arguments.uri_parameters:
        return url
    query = urlencode(pairs(arguments.uri_parameters, "--uri-parameters"))
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _is_ours(workspace: Workspace, url: str) -> bool:
    server = read_server(workspace.connection.data_dir)
    known = {workspace.connection.url, server.get("url"), server.get("http_url")}
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" in known


def _token(workspace: Workspace, resource: str) -> str:
    plain = resource.removesuffix("/")
    return workspace.tokens.get(f"{plain}/.default" if plain else workspace.tokens.management)


def _headers(arguments: Arguments) -> dict[str, str]:
    """--headers as name=value pairs, or one JSON object."""
    text = " ".join(arguments.headers)
    if text.startswith("{"):
        try:
            return {str(name): str(value) for name, value in json.loads(text).items()}
        except ValueError as error:
            rule = f"--headers {text!r} is not JSON: {error}"
            raise CommandError("InvalidArgument", rule) from error
    return pairs(arguments.headers, "--headers")


def _body(text: str) -> bytes | None:
    """--body, or with @ before it the file of that name."""
    if not text.startswith("@"):
        return text.encode() if text else None
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise CommandError(
            "FileNotReadable", f"--body {text} cannot be read: {error.strerror}"
        ) from error


def _told(answer: Answer, output_file: str) -> Any:
    if output_file:
        Path(output_file).write_bytes(answer.body)
        return None
    return answer.value()
