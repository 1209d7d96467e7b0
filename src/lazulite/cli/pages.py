"""Pages of the server in a browser, where there is one."""

from __future__ import annotations

import os
import webbrowser

from lazulite.cli.errors import CommandError
from lazulite.cli.http import Http, Request
from lazulite.cli.report import Report


def show_page(url: str, http: Http, report: Report) -> None:
    """Say the address, and open it if the page is there and a window can be."""
    report.note(f"The job's page: {url}")
    if _answers(url, http) and has_window():
        webbrowser.open(url)


def has_window() -> bool:
    """Whether a browser would open a window; one of texts would take the terminal instead."""
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    return type(found) is not webbrowser.GenericBrowser or "BROWSER" in os.environ


def _answers(url: str, http: Http) -> bool:
    try:
        return http.send(Request(method="GET", url=url)).is_success
    except CommandError:
        return False
