"""Commands that wait outlast a control plane that is killed, and no other failure."""

import pytest

from lazulite.cli import jobs, outages
from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError
from lazulite.cli.log_following import follow
from lazulite.cli.operations import delete, put
from lazulite.cli.remedies import unreachable
from tests.cli.conftest import WORKSPACE

PATH = "computes/c"
DETAILS = f"/history/v1.0{WORKSPACE}/runs/j1/details"
LOGS = f"/telemetry/v1.0{WORKSPACE}/logs/AmlOnlineEndpointConsoleLog"


@pytest.fixture
def outage(server):
    """Has the front door answer for a control plane that is killed in the midst of an answer."""

    def begin(path, method="GET"):
        for status, code, message in (
            (502, "BadGateway", "The server broke off before it had answered. Try again."),
            (503, "ServiceUnavailable", "The control plane is not running or is starting."),
        ):
            error = {"code": code, "message": message, "details": []}
            server.answer(method, path, status, {"error": error}, {"Retry-After": "2"})

    return begin


def test_an_operation_is_followed_over_an_outage(server, workspace, outage):
    found, waited = workspace
    server.answer("PUT", PATH, 201, {}, {"Azure-AsyncOperation": f"{server.url}/op"})
    outage("/op")
    server.answer("GET", "/op", 200, {"status": "Succeeded"})
    server.keep(PATH, {"properties": {}})
    put(found, PATH, {})
    assert waited == [0.1, outages.PAUSE_S, outages.PAUSE_S]


def test_so_are_a_location_and_a_resource(server, workspace, outage):
    found, _ = workspace
    server.keep(PATH, {"properties": {}})
    server.answer("DELETE", PATH, 202, None, {"Location": f"{server.url}/result"})
    outage("/result")
    server.answer("GET", "/result", 204)
    delete(found, PATH)
    server.answer("PUT", PATH, 201, {"properties": {"provisioningState": "Creating"}})
    outage(PATH)
    server.answer("GET", PATH, 200, {"properties": {"provisioningState": "Succeeded"}})
    put(found, PATH, {})


def test_a_job_and_its_log_are_followed_over_an_outage(server, workspace, outage, capsys):
    found, _ = workspace
    files = {"user_logs/std_log.txt": f"{server.url}/log"}
    server.answer("GET", DETAILS, 200, {"status": "Running", "logFiles": files})
    outage(DETAILS)
    server.answer("GET", DETAILS, 200, {"status": "Completed", "logFiles": files})
    server.answer("GET", "/log", 200, b"one\n")
    jobs.follow(found, "j1")
    assert capsys.readouterr().out == "one\n"


def test_so_is_the_log_of_a_deployment(server, workspace, outage, capsys):
    found, _ = workspace
    line = {"InstanceId": "i", "ContainerName": "c", "Message": "one"}
    server.answer("GET", LOGS, 200, {"value": [], "last": 1})
    outage(LOGS)
    server.answer("GET", LOGS, 200, {"value": [line], "last": 2})
    server.answer("GET", LOGS, 404, {"error": {"code": "ResourceNotFound", "message": "gone"}})
    with pytest.raises(CommandError, match="gone"):
        follow(found, Arguments(endpoint_name="e", name="d"), "c")
    assert capsys.readouterr().out == "[i] one\n"


def test_a_server_that_was_never_there_is_not_waited_for(workspace, outage):
    found, waited = workspace
    outage(DETAILS)
    with pytest.raises(CommandError, match="broke off"):
        jobs.follow(found, "j1")
    outage(LOGS)
    with pytest.raises(CommandError, match="broke off"):
        follow(found, Arguments(endpoint_name="e", name="d"), "c")
    assert waited == []


def test_a_refused_connection_is_waited_for_but_not_for_ever():
    refused = unreachable("http://h:1", ConnectionRefusedError("refused"))
    failures, waited = [refused, refused], []

    def look():
        if failures:
            raise failures.pop()
        return "found"

    assert outages.outlasting(look, waited.append) == "found"
    assert waited == [outages.PAUSE_S] * 2
    failures.extend([refused] * 1000)
    with pytest.raises(CommandError, match="refused"):
        outages.outlasting(look, waited.append)
    assert sum(waited[2:]) == outages.LONGEST_S


def test_what_the_server_refuses_is_told_at_once():
    def look():
        raise CommandError("Forbidden", "no", status=403)

    with pytest.raises(CommandError, match="no"):
        outages.outlasting(look, pytest.fail)
