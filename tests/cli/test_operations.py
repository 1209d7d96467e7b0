"""Long-running operations are followed to their end, over an outage, and left alone on Ctrl-C."""

import re

import pytest

from lazulite.cli.errors import INTERRUPTED, CommandError
from lazulite.cli.operations import delete, describe, put, watching

PATH = "computes/c"


def test_the_operation_is_polled_until_it_succeeded(server, workspace):
    found, waited = workspace
    headers = {"Azure-AsyncOperation": f"{server.url}/op", "Retry-After": "1"}
    server.answer("PUT", PATH, 201, {"properties": {}}, headers)
    for status in ("InProgress", "InProgress", "Succeeded"):
        server.answer("GET", "/op", 200, {"status": status}, {"Retry-After": "1"})
    server.keep(PATH, {"properties": {"provisioningState": "Succeeded"}})
    assert put(found, PATH, {})["properties"] == {"provisioningState": "Succeeded"}
    assert len(waited) == 3
    assert "Creating compute c: done in" in found.report.stream.getvalue()


def test_pauses_grow_up_to_what_the_server_asks(server, workspace):
    found, waited = workspace
    headers = {"Azure-AsyncOperation": f"{server.url}/op", "Retry-After": "1"}
    server.answer("PUT", PATH, 201, {"properties": {}}, headers)
    for status in ["InProgress"] * 12 + ["Succeeded"]:
        server.answer("GET", "/op", 200, {"status": status}, {"Retry-After": "1"})
    server.keep(PATH, {"properties": {}})
    put(found, PATH, {})
    assert waited[0] == 0.1
    assert waited == sorted(waited)
    assert max(waited) == 1.0


def test_a_failed_operation_gives_the_servers_reason_and_its_details(server, workspace):
    found, _ = workspace
    server.answer("PUT", PATH, 201, {}, {"Azure-AsyncOperation": f"{server.url}/op"})
    error = {"code": "InitFailed", "message": "Traceback\nKeyError: 'x'",
             "details": [{"code": "Log", "message": "line", "target": "log"}]}  # fmt: skip
    server.answer("GET", "/op", 200, {"status": "Failed", "error": error})
    with pytest.raises(CommandError) as caught:
        put(found, PATH, {})
    assert caught.value.code == "InitFailed"
    assert caught.value.message == "Traceback\nKeyError: 'x'\n  log: line"


def test_without_an_operation_the_resource_itself_is_watched(server, workspace):
    found, _ = workspace
    server.answer("PUT", PATH, 201, {"properties": {"provisioningState": "Creating"}})
    for state in ("Creating", "Succeeded"):
        server.answer("GET", PATH, 200, {"properties": {"provisioningState": state}})
    assert put(found, PATH, {})["properties"]["provisioningState"] == "Succeeded"


def test_a_deletion_follows_its_location(server, workspace):
    found, waited = workspace
    server.keep(PATH, {"properties": {}})
    server.answer("DELETE", PATH, 202, None, {"Location": f"{server.url}/result"})
    server.answer("GET", "/result", 202)
    server.answer("GET", "/result", 204)
    delete(found, PATH)
    assert len(waited) == 2


def test_no_wait_returns_the_first_answer(server, workspace):
    found, waited = workspace
    server.answer("PUT", PATH, 201, {"properties": {"provisioningState": "Creating"}})
    assert put(found, PATH, {}, waiting=False)["properties"]["provisioningState"] == "Creating"
    assert waited == []


def test_an_interrupted_wait_leaves_the_operation_and_says_how_to_watch(server, workspace):
    found, _ = workspace

    def interrupt(seconds):
        raise KeyboardInterrupt

    object.__setattr__(found, "sleep", interrupt)
    server.answer("PUT", PATH, 201, {}, {"Azure-AsyncOperation": f"{server.url}/op"})
    with pytest.raises(CommandError, match="lazulite ml compute show -n c") as caught:
        put(found, PATH, {})
    assert caught.value.exit_code == INTERRUPTED
    assert "`lazulite ml compute delete -n c`" in caught.value.message
    assert "stopped in" in found.report.stream.getvalue()


def test_an_interrupted_request_tells_the_same(server, workspace):
    found, _ = workspace

    def interrupt(*_):
        raise KeyboardInterrupt

    found.http.send = interrupt
    with pytest.raises(CommandError, match="lazulite ml compute show -n c") as caught:
        put(found, PATH, {})
    assert caught.value.exit_code == INTERRUPTED


def test_while_an_environment_is_built_the_last_line_of_its_log_is_told(server, workspace):
    found, waited = workspace
    found.report.clock = lambda: 10.0 * len(waited)
    path, env = "onlineEndpoints/e/deployments/d", found.id("environments/n/versions/1")
    headers = {"Azure-AsyncOperation": f"{server.url}/op"}
    server.answer("PUT", path, 201, {"properties": {"environmentId": env}}, headers)
    body = {"status": "InProgress", "properties": {"phase": "environment"}}
    server.answer("GET", "/op", 200, body)
    server.answer("GET", "/op", 200, body)
    server.answer("GET", "/op", 200, {"status": "Succeeded"})
    log = {"content": "one\nResolved 12 packages\n", "nextOffset": 9, "status": "Building"}
    server.answer("GET", "environments/n/versions/1/buildLog", 200, log)
    server.keep(path, {"properties": {"provisioningState": "Succeeded"}})
    put(found, path, {})
    assert "environment 10 s | Resolved 12 packages" in found.report.stream.getvalue()
    offsets = [each.query["offset"] for each in server.requests if "offset" in each.query]
    assert offsets == ["0", "9"]


def test_paths_are_told_in_words():
    assert describe("onlineEndpoints/e/deployments/d") == "online deployment d of e"
    assert (
        watching("batchEndpoints/e/deployments/d") == "lazulite ml batch-deployment show -n d -e e"
    )


def test_what_failed_is_told_with_where_to_look(server, workspace):
    found, _ = workspace
    path = "onlineEndpoints/e/deployments/d"
    error = {"code": "ReplicaFailed", "message": "Traceback: no such weights"}
    server.answer(
        "PUT", path, 201, {"properties": {}}, {"Azure-AsyncOperation": f"{server.url}/op"}
    )
    server.answer("GET", "/op", 200, {"status": "Failed", "error": error})
    with pytest.raises(CommandError) as told:
        put(found, path, {})
    assert told.value.message == (
        "Traceback: no such weights\nIts log: lazulite ml online-deployment get-logs -e e -n d"
    )


def test_a_build_that_failed_is_told_with_the_log_of_the_build(server, workspace):
    found, _ = workspace
    path = "onlineEndpoints/e/deployments/d"
    headers = {"Azure-AsyncOperation": f"{server.url}/op"}
    server.answer("PUT", path, 201, {"properties": {}}, headers)
    error = {"code": "UnsolvableRequirements", "message": "no numpy==99"}
    body = {"status": "Failed", "error": error, "properties": {"phase": "environment"}}
    server.answer("GET", "/op", 200, body)
    with pytest.raises(CommandError, match="get-logs -e e -n d -c storage-initializer"):
        put(found, path, {})
    assert re.search(r"environment [\d.]+ s, failed in", found.report.stream.getvalue())


def test_phases_are_told_with_their_times_and_then_the_next_step(server, workspace):
    found, _ = workspace
    path = "onlineEndpoints/e/deployments/d"
    server.answer(
        "PUT", path, 201, {"properties": {}}, {"Azure-AsyncOperation": f"{server.url}/op"}
    )
    for phase in ("environment", "replicas"):
        body = {"status": "InProgress", "properties": {"phase": phase}}
        server.answer("GET", "/op", 200, body)
    server.answer("GET", "/op", 200, {"status": "Succeeded"})
    server.keep(path, {"properties": {"provisioningState": "Succeeded"}})
    put(found, path, {})
    said = found.report.stream.getvalue()
    pattern = r"Creating online deployment d of e: environment [\d.]+ s, replicas [\d.]+ s, done in"
    assert re.match(pattern, said), said
    assert "Next: lazulite ml online-endpoint invoke -n e --deployment d -r FILE" in said
