"""What a command says to do next, when it is done, when it failed and when it was stopped."""

import webbrowser

import pytest

from lazulite.cli.advice import after_job
from lazulite.cli.pages import has_window


@pytest.mark.parametrize(
    ("job", "command"),
    [
        ({"status": "Completed"}, "lazulite ml job download -n j"),
        ({"status": "Failed"}, "lazulite ml job download -n j --all"),
        ({"status": "Canceled"}, None),
        (
            {"status": "Failed", "progress": {"failed_items": 2}},
            "lazulite ml job failed-items -n j -o table",
        ),
        (
            {"status": "Completed", "progress": {"failed_items": 2}},
            "lazulite ml job failed-items -n j -o table",
        ),
    ],
)
def test_after_a_job_comes_what_it_left(job, command):
    assert after_job({"name": "j", **job}) == command


def test_a_failed_batch_job_names_the_command_for_its_failed_items(server, lazulite):
    error = {"code": "ErrorThresholdExceeded", "message": "1 input files failed\n"}
    counts = {"mini_batches": 2, "items": 2, "left_items": 0, "failed_items": 1}
    properties = {"status": "Failed", "error": error, "progress": counts}
    server.keep("jobs/j1", {"properties": properties})
    code, _, err = lazulite("ml", "job", "stream", "-n", "j1")
    assert code == 1
    assert err.endswith(
        "ERROR: (ErrorThresholdExceeded) 1 input files failed\n"
        "Next: lazulite ml job failed-items -n j1 -o table\n"
    )


def shown_page(server, lazulite, monkeypatch, status):
    """What --web says, and what it opens if the page is answered with the status."""
    server.answer("GET", "/page", status, b"<html/>")
    services = {"Studio": {"endpoint": f"{server.url}/page"}}
    server.keep("jobs/j1", {"properties": {"status": "Completed", "services": services}})
    opened = []
    monkeypatch.setattr("lazulite.cli.pages.has_window", lambda: True)
    monkeypatch.setattr(webbrowser, "open", opened.append)
    code, _, err = lazulite("ml", "job", "show", "-n", "j1", "--web")
    assert (code, err) == (0, f"The job's page: {server.url}/page\n")
    return opened


def test_the_page_of_a_job_is_opened(server, lazulite, monkeypatch):
    assert shown_page(server, lazulite, monkeypatch, 200) == [f"{server.url}/page"]


def test_a_page_that_is_not_there_is_not_opened(server, lazulite, monkeypatch):
    assert shown_page(server, lazulite, monkeypatch, 404) == []


@pytest.mark.parametrize(
    ("browser", "environ", "expected"),
    [
        (webbrowser.GenericBrowser("lynx"), {}, False),
        (webbrowser.GenericBrowser("mine"), {"BROWSER": "mine"}, True),
        (webbrowser.BackgroundBrowser("firefox"), {}, True),
    ],
)
def test_a_browser_of_texts_is_not_for_pages(monkeypatch, browser, environ, expected):
    monkeypatch.setattr(webbrowser, "get", lambda: browser)
    monkeypatch.delenv("BROWSER", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert has_window() is expected


def test_without_any_browser_the_address_is_enough(monkeypatch):
    def none():
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "get", none)
    assert not has_window()


def test_a_stopped_deployment_says_how_it_gets_its_traffic(server, lazulite, monkeypatch, tmp_path):
    def interrupt(seconds):
        raise KeyboardInterrupt

    server.keep("onlineEndpoints/e", {"properties": {}})
    headers = {"Azure-AsyncOperation": f"{server.url}/op"}
    server.answer("PUT", "onlineEndpoints/e/deployments/d", 201, {"properties": {}}, headers)
    monkeypatch.setattr("lazulite.cli.workspace.time.sleep", interrupt)
    file = tmp_path / "d.yml"
    file.write_text("name: d\nendpoint_name: e\n")
    line = ["ml", "online-deployment", "create", "-f", str(file)]
    code, out, err = lazulite(*line, "--all-traffic")
    assert (code, out) == (130, ""), err
    assert "`lazulite ml online-deployment delete -n d -e e`" in err
    assert "`lazulite ml online-endpoint update -n e --traffic d=100`" in err
    assert "no traffic" not in lazulite(*line)[2]
