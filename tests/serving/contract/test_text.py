"""run(raw_data) without decorators. Source: spec/ONLINE.md 5.3 and 5.4."""

import json
import re
import uuid

import pytest

SCRIPT = """
import collections, datetime, os, sys, time

def init():
    print("print of init", 1, sep="-")

def run(raw_data, request_headers):
    return eval(raw_data[1:]) if raw_data.startswith("=") else raw_data
"""
FAILED = "An unexpected error occurred in scoring script. Check the logs for more info."
INTERNAL = "An unexpected internal error occurred. Check the logs for more info."


@pytest.fixture(scope="module")
def server(shared):
    return shared(SCRIPT, env={"SERVICE_NAME": "svc", "SERVICE_PATH_PREFIX": "/p/"})


@pytest.mark.parametrize("body", ["", "text", '{"a": 1}', "é\n", "x" * 1_000_000])
def test_a_body_reaches_run_as_text(server, body):
    answer = server.text_call(body.encode())
    assert (answer.status, answer.json()) == (200, body)


@pytest.mark.parametrize("kind", ["application/json", "text/csv", "application/octet-stream", "x"])
def test_the_content_type_does_not_matter(server, kind):
    assert server.call("POST", "/score", b"[1]", {"Content-Type": kind}).json() == "[1]"


@pytest.mark.ours
def test_the_content_type_of_forms_does_not_matter_either(server):
    kind = {"Content-Type": "application/x-www-form-urlencoded"}  # what curl -d says by itself
    assert server.call("POST", "/score", b"[1]", kind).json() == "[1]"


def test_a_body_that_is_not_utf_8_is_a_bad_request(server):
    answer = server.text_call(b"ab\xff")
    assert answer.status == 400
    assert answer.json() == {
        "message": "Input cannot be decoded as UTF-8: 'utf-8' codec can't decode byte 0xff in "
        "position 2: invalid start byte"
    }
    assert answer.headers["x-ms-run-function-failed"] == "False"


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("", {}),
        ("?a=1&b=[1,2]&c=x", {"a": 1, "b": [1, 2], "c": "x"}),
        ("?d=null&e=&f=true", {"d": None, "e": "", "f": True}),
        ("?a=1&a=x&a=null", {"a": [1, "x", None]}),
        ("?A=1&a=2", {"A": 1, "a": 2}),
        ("?q=a+b%20c&u=%C3%A9", {"q": "a b c", "u": "é"}),
        ('?o={"k":1.5}', {"o": {"k": 1.5}}),
    ],
)
def test_the_query_of_a_get_reaches_run_as_json(server, query, value):
    answer = server.call("GET", "/score" + query.replace('"', "%22"))
    assert json.loads(answer.json()) == value


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ("None", b"{}"),
        ("'é'", b'"\\u00e9"'),
        ("(1, [2.5], {'a': True})", b'[1, [2.5], {"a": true}]'),
        ("{1: 2, None: 3}", b'{"1": 2, "null": 3}'),
        ("[float('nan'), 1e400]", b"[NaN, Infinity]"),
        ("''", b'""'),
        ("10**30", b"1" + b"0" * 30),
        ("collections.OrderedDict(b=1, a=2)", b'{"b": 1, "a": 2}'),
    ],
)
def test_a_result_is_answered_as_json(server, result, body):
    answer = server.do("=" + result)
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize("result", ["object()", "{1, 2}", "b'x'", "datetime.date.today()"])
def test_a_result_without_a_json_form_is_an_internal_error(server, result):
    answer = server.do("=" + result)
    assert (answer.status, answer.json()) == (500, {"message": INTERNAL})
    assert answer.headers["x-ms-run-function-failed"] == "False"
    assert "x-ms-run-fn-exec-ms" not in answer.headers


@pytest.mark.parametrize("error", ["1/0", "{}['secret']", "open('/nowhere')", "nothing"])
def test_what_run_raises_is_told_in_the_log_only(server, error):
    answer = server.do("=" + error)
    assert (answer.status, answer.json()) == (500, {"message": FAILED})
    assert answer.headers["x-ms-run-function-failed"] == "True"
    assert answer.headers["Content-Type"] == "application/json"


def test_the_traceback_is_in_the_log(server):
    server.do("={}['of the log']")
    assert server.has_logged("Encountered Exception(.|\n)*KeyError: 'of the log'")


@pytest.mark.ours
def test_sys_exit_in_run_fails_the_request_alone(server):
    pid = server.do("=os.getpid()").json()
    assert server.do("=sys.exit(3)").status == 500
    assert server.do("=os.getpid()").json() == pid


def test_an_answer_tells_how_long_run_took(server):
    answer = server.do("=time.sleep(0.02)")
    assert re.fullmatch(r"\d+\.\d{3}", answer.headers["x-ms-run-fn-exec-ms"])
    assert float(answer.headers["x-ms-run-fn-exec-ms"]) >= 20
    assert answer.headers["x-ms-run-function-failed"] == "False"


def test_an_answer_names_the_server_and_its_version(server):
    assert re.fullmatch(r"azmlinfsrv/\d+\.\d+\.\d+", server.do("").headers["x-ms-server-version"])
    assert "x-ms-server-version" in server.call("GET", "/").headers


@pytest.mark.parametrize(
    ("name", "seen"),
    [("x-own", "X-Own"), ("X-MIXED-case", "X-Mixed-Case"), ("accept", "Accept")],
)
def test_run_may_ask_for_the_headers(server, name, seen):
    assert server.do("=request_headers", **{name: "v"}).json()[seen] == "v"


def test_the_health_probe_is_healthy(server):
    answer = server.call("GET", "/")
    assert (answer.status, answer.body) == (200, b"Healthy")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "x-ms-run-function-failed" not in answer.headers


@pytest.mark.parametrize("target", ["/nothing", "/score/", "/Score", "/swagger", "/score/x"])
def test_other_routes_are_not_found(server, target):
    answer = server.call("POST", target, b"")
    assert answer.status == 404
    assert answer.json()["message"].startswith("The requested URL was not found on the server.")


@pytest.mark.parametrize(
    ("method", "target"),
    [(method, "/score") for method in ("PUT", "DELETE", "PATCH")]
    + [("POST", "/"), ("POST", "/swagger.json")],
)
def test_other_methods_are_not_allowed(server, method, target):
    answer = server.call(method, target, b"")
    assert answer.status == 405
    assert answer.json() == {"message": "The method is not allowed for the requested URL."}


@pytest.mark.ours
def test_a_refused_method_is_told_those_that_are_allowed(server):
    answer = server.call("PUT", "/score", b"")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_head_of_score_is_not_allowed_and_of_health_is(server):
    assert [server.call("HEAD", target).status for target in ("/score", "/")] == [405, 200]


def test_options_of_score_is_answered_without_run(server):
    answer = server.call("OPTIONS", "/score", b"=1/0")
    assert (answer.status, answer.body) == (200, b"")
    assert "x-ms-run-fn-exec-ms" not in answer.headers


def test_options_of_health_say_what_is_allowed(server):
    answer = server.call("OPTIONS", "/")
    assert (answer.status, answer.body) == (200, b"")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_request_without_ids_is_given_one(server):
    first, second = server.do("").headers, server.do("").headers
    assert uuid.UUID(first["x-request-id"]) != uuid.UUID(second["x-request-id"])
    assert first["x-ms-request-id"] == first["x-request-id"]
    assert "x-ms-client-request-id" not in first


@pytest.mark.parametrize(
    ("sent", "request_id", "legacy", "client"),
    [
        ({"x-request-id": "r"}, "r", "r", None),
        ({"x-request-id": "r", "x-ms-client-request-id": "c"}, "r", "c", "c"),
        ({"x-request-id": "r", "x-ms-request-id": "l"}, "r", "l", "l"),
        (
            {"x-request-id": "r", "x-ms-request-id": "l", "x-ms-client-request-id": "c"},
            *("r", "l", "c"),
        ),
        ({"x-request-id": "r" * 100}, "r" * 100, "r" * 100, None),
        (
            {"x-request-id": "r", "x-ms-client-request-id": "c" * 100},
            *("r", "c" * 100, "c" * 100),
        ),
    ],
)
def test_ids_are_echoed(server, sent, request_id, legacy, client):
    headers = server.do("", **sent).headers
    assert headers.get_all("x-request-id") == [request_id]
    assert headers.get_all("x-ms-request-id") == [legacy]
    assert headers["x-ms-client-request-id"] == client


BOTH = "x-ms-request-id and x-ms-client-request-id must not exceed 100 characters"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x-request-id", "x-request-id must not exceed 100 characters"),
        ("x-ms-request-id", BOTH),
        ("x-ms-client-request-id", BOTH),
    ],
)
@pytest.mark.parametrize(("method", "target"), [("POST", "/score"), ("GET", "/")])
def test_an_id_of_101_characters_is_refused(server, name, message, method, target):
    answer = server.call(method, target, b"", {name: "x" * 101})
    assert (answer.status, answer.json()) == (431, {"message": message})
    assert name not in answer.headers


def test_the_trace_id_is_echoed(server):
    assert server.do("", TraceId="t 1").headers["TraceId"] == "t 1"
    assert "TraceId" not in server.do("").headers


@pytest.mark.parametrize(
    ("query", "field", "version"),
    [
        ("", "swagger", "2.0"),
        ("?version=2", "swagger", "2.0"),
        ("?version=2.0", "swagger", "2.0"),
        ("?version=3", "openapi", "3.0"),
        ("?version=3.0", "openapi", "3.0"),
        ("?version=3.1", "openapi", "3.1.0"),
    ],
)
def test_there_is_a_document_of_each_version(server, query, field, version):
    answer = server.call("GET", "/swagger.json" + query)
    document = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert document[field].startswith(version)
    assert document["info"]["title"] == "svc"
    assert document["info"]["version"] == "1.0"
    assert {"/p/", "/p/score"} <= set(document["paths"])
    schemas = document["definitions"] if field == "swagger" else document["components"]["schemas"]
    assert schemas["ServiceInput"] == {"type": "object", "example": {}}
    assert {"ServiceOutput", "ErrorResponse"} <= set(schemas)


@pytest.mark.parametrize("version", ["4", "", "2.1", "3.1.0", "x"])
def test_other_versions_are_not_found(server, version):
    answer = server.call("GET", f"/swagger.json?version={version}")
    assert answer.status == 404
    said = f"Swagger version [{version}] is not valid. Supported versions: [2, 3, 3.1]."
    assert answer.json() == {"message": said}


def test_a_chunked_body_reaches_run(server):
    parts = iter([b"=", b"[1,", b" 2]"])
    answer = server.call("POST", "/score", parts, {"Content-Type": "text/plain"})
    assert answer.json() == [1, 2]


def test_an_http_1_0_client_is_answered_and_its_connection_closed(server):
    head = b"POST /score HTTP/1.0\r\nContent-Length: 4\r\nContent-Type: text/plain\r\n\r\n"
    answer = server.raw(head + b"=[1]")
    assert answer.endswith(b"\r\n\r\n[1]")


def test_prints_are_lines_of_the_log(server):
    server.do("=print('line', {'a': 1})")
    stamp = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} I \[\d+\] "
    assert server.has_logged(stamp + r"azmlinfsrv\.print - line \{'a': 1\}$")
    assert server.has_logged(stamp + r"azmlinfsrv\.print - print of init-1$")


@pytest.mark.parametrize(
    ("method", "target", "line"),
    [
        ("POST", "/score", r"POST /score 200 \d+\.\d{3}ms 10"),
        ("GET", "/score?q=abcdefg", r"GET /score\?q=abcdefg 200 \d+\.\d{3}ms \d+"),
        ("GET", "/swagger.json", r"GET /swagger\.json 200 \d+\.\d{3}ms \d+"),
    ],
)
def test_an_access_line_has_method_path_status_time_and_length(server, method, target, line):
    server.text_call(b"12345678" if method == "POST" else b"", method, target)
    assert server.has_logged(rf" I \[\d+\] azmlinfsrv - {line}$")


def test_the_old_request_id_is_warned_of(server):
    server.do("", x_ms_request_id="old")
    assert server.has_logged(r" W \[\d+\] azmlinfsrv - x-ms-request-id header has been deprecated")


@pytest.mark.parametrize(
    "line",
    [
        r"azmlinfsrv\.user_script - Found user script at .*score\.py$",
        r"azmlinfsrv\.user_script - run\(\) is not decorated\. Server will invoke it with the "
        r"input in JSON string\.$",
        r"azmlinfsrv\.user_script - Invoking user's init function$",
        r"azmlinfsrv\.user_script - Users's init has completed successfully$",
        r"azmlinfsrv\.swagger - Swaggers are prepared for the following versions: \[2, 3, 3\.1\]\.",
        r"azmlinfsrv - Scoring timeout is set to 3600000$",
        r"azmlinfsrv - Worker with pid \d+ ready for serving traffic$",
        r"azmlinfsrv - Starting up app insights client",
    ],
)
def test_the_start_is_told_in_the_log(server, line):
    assert server.has_logged(r" I \[\d+\] " + line)
