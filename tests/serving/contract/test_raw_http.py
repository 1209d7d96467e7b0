"""@rawhttp and AMLResponse. Source: spec/ONLINE.md 5.3 and 5.4."""

import json
import socket

import pytest

SCRIPT = """
from {package}.aml_request import AMLRequest, rawhttp
from {package}.aml_response import AMLResponse
import time

def init():
    pass

def parts():
    for part in ("one ", "two ", "three"):
        yield part

def slowly(made):
    for number in range(3):
        made.append(number)
        yield str(number)
        time.sleep(0.3)

made = []

@rawhttp
def run(request):
    return eval(request.headers.get("x-do") or "AMLResponse(request.get_data(), 200)")
"""
PACKAGES = ["azureml_inference_server_http.api", "azureml.contrib.services"]


@pytest.fixture(scope="module")
def server(shared):
    return shared(SCRIPT.format(package=PACKAGES[0]))


def do(server, expression, body=b"", method="POST", target="/score", **headers):
    return server.text_call(body, method, target, x_do=expression, **headers)


@pytest.mark.ours
@pytest.mark.parametrize("package", PACKAGES)
def test_either_package_can_be_imported_though_neither_is_installed(serve, package):
    server = serve(SCRIPT.format(package=package)).ready()
    assert do(server, "type(request).__module__.split('.')[0]").json() == "lazulite_worker"


def test_bytes_come_and_go_as_they_are(server):
    data = bytes(range(256))
    assert server.call("POST", "/score", data).body == data


def test_a_body_of_a_megabyte_comes_and_goes(server):
    data = b"\0" * 1_000_000
    assert server.call("POST", "/score", data).body == data


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD"])
def test_run_is_called_for_every_method_of_the_route(server, method):
    answer = do(server, "AMLResponse('x', 200, {'X-Method': request.method})", method=method)
    assert answer.headers["X-Method"] == method
    assert answer.body == (b"" if method == "HEAD" else b"x")


def test_other_methods_do_not_reach_run(server):
    assert do(server, "1/0", method="PUT").status == 405


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("request.method", "POST"),
        ("request.path", "/score"),
        ("request.query_string.decode()", "a=1&b=%20&a=2"),
        ("request.full_path", "/score?a=1&b=%20&a=2"),
        ("request.args['a']", "1"),
        ("request.args.getlist('a')", ["1", "2"]),
        ("request.args.get('none', 'x')", "x"),
        ("request.args.to_dict()", {"a": "1", "b": " "}),
        ("request.headers['X-OWN']", "v"),
        ("request.headers.get('none')", None),
        ("request.content_type", "application/json; charset=utf-8"),
        ("request.mimetype", "application/json"),
        ("request.content_length", 8),
        ("request.is_json", True),
        ("request.json", {"k": [1]}),
        ("request.get_json()['k']", [1]),
        ("request.get_data(as_text=True)", '{"k":[1]'[:-1] + "]}"),
        ("request.data.decode()", '{"k":[1]}'),
        ("request.stream.read().decode() in ('', '{\"k\":[1]}')", True),
        ("request.cookies['c']", "d"),
        ("request.host.split(':')[0]", "127.0.0.1"),
        ("request.url.partition('/score')[2]", "?a=1&b=%20&a=2"),
        ("request.form.to_dict()", {}),
        ("request.values['a']", "1"),
    ],
)
def test_the_request_has_what_scripts_read(server, expression, value):
    kind = {"Content-Type": "application/json; charset=utf-8", "Cookie": "c=d", "x-own": "v"}
    headers = {**kind, "x-do": f"[{expression}]"}
    body = b'{"k":[1]}'
    answer = server.call("POST", "/score?a=1&b=%20&a=2", body, headers)
    if expression == "request.content_length":
        value = len(body)
    assert answer.json() == [value]


def test_a_form_has_its_fields_and_files(server):
    body = (
        b'--B\r\nContent-Disposition: form-data; name="note"\r\n\r\nhi\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nin\r\nside\r\n--B--\r\n"
    )
    found = (
        "[request.form['note'], request.files['f'].read().decode(), request.files['f'].filename]"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=B", "x-do": found}
    assert server.call("POST", "/score", body, kind).json() == ["hi", "in\r\nside", "a.txt"]


def test_an_urlencoded_form_has_its_fields(server):
    kind = {"Content-Type": "application/x-www-form-urlencoded", "x-do": "request.form['b']"}
    assert server.call("POST", "/score", b"a=1&b=x+y", kind).json() == "x y"


@pytest.mark.parametrize(
    ("expression", "status", "kind", "body"),
    [
        ("AMLResponse('é', 200)", 200, "text/html; charset=utf-8", "é".encode()),
        ("AMLResponse(b'x', 201)", 201, "text/html; charset=utf-8", b"x"),
        ("AMLResponse(None, 200)", 200, "application/json", b"{}"),
        ("AMLResponse({'a': [1]}, 202, json_str=True)", 202, "application/json", b'{"a": [1]}'),
        ("AMLResponse('t', 200, json_str=True)", 200, "application/json", b'"t"'),
        ("AMLResponse('', 404)", 404, "text/html; charset=utf-8", b""),
        ("AMLResponse(['a', 'b'], 200)", 200, "text/html; charset=utf-8", b"ab"),
        ("AMLResponse('p', 200, {'Content-Type': 'image/png'})", 200, "image/png", b"p"),
        ("{'plain': 'value'}", 200, "application/json", b'{"plain": "value"}'),
        ("None", 200, "application/json", b"{}"),
    ],
)
def test_an_answer_has_the_form_that_run_gave_it(server, expression, status, kind, body):
    answer = do(server, expression)
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers.get_all("Content-Type") == [kind]
    assert answer.headers.get_all("x-ms-run-function-failed") == ["False"]
    assert float(answer.headers["x-ms-run-fn-exec-ms"]) >= 0


@pytest.mark.parametrize(
    ("expression", "status", "failed"),
    [
        ("AMLResponse('', 200, {}, False, True)", 200, "True"),
        ("AMLResponse('', 400, run_function_failed=True)", 400, "True"),
        ("AMLResponse('', 499)", 499, "False"),
        ("AMLResponse('', 500)", 500, "True"),
        ("AMLResponse('', 503, run_function_failed=False)", 503, "True"),
    ],
)
def test_an_answer_tells_whether_run_failed(server, expression, status, failed):
    answer = do(server, expression)
    assert answer.status == status
    assert answer.headers.get_all("x-ms-run-function-failed") == [failed]


def test_what_was_made_json_is_called_so(server):
    headers = "{'content-type': 'A', 'x-ms-run-function-failed': 'Z'}"
    answer = do(server, f"AMLResponse(None, 555, {headers}, run_function_failed=True)")
    assert answer.headers.get_all("Content-Type")[0] == "application/json"
    assert answer.headers.get_all("x-ms-run-function-failed") == ["True"]


def test_a_comma_makes_repeated_headers(server):
    answer = do(server, "AMLResponse('', 200, {'X-List': 'a, b,c', 'x-one': '1'})")
    assert answer.headers.get_all("X-List") == ["a", "b", "c"]
    assert answer.headers["x-one"] == "1"


def test_run_cannot_overwrite_the_ids(server):
    mine = "AMLResponse('', 200, {'x-request-id': 'mine', 'x-ms-request-id': 'mine'})"
    answer = do(server, mine, x_request_id="theirs")
    assert answer.headers.get_all("x-request-id") == ["theirs"]
    assert answer.headers.get_all("x-ms-request-id") == ["theirs"]


def test_headers_and_status_can_be_set_afterwards(server):
    changed = (
        "(lambda r: (r.headers.__setitem__('x-a', 'b'), setattr(r, 'status_code', 418), r)[-1])"
        "(AMLResponse('x', 200))"
    )
    answer = do(server, changed)
    assert (answer.status, answer.headers["x-a"]) == (418, "b")


def test_a_generator_is_streamed_in_chunks(server):
    answer = do(server, "AMLResponse(parts(), 200)")
    assert answer.body == b"one two three"
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in answer.headers
    assert server.has_logged(r"POST /score 200 \d+\.\d{3}ms N/A$")


def test_the_first_part_arrives_before_the_last_is_made(server):
    head = b"POST /score HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as link:
        link.sendall(head + b"x-do: AMLResponse(slowly(made), 200)\r\n\r\n")
        data, times = b"", []
        while part := link.recv(65536):
            data += part
            times.append(data)
    assert any(b"\r\n0\r\n" in seen and b"\r\n2\r\n" not in seen for seen in times)
    assert data.endswith(b"1\r\n2\r\n0\r\n\r\n")


@pytest.mark.parametrize("expression", ["1/0", "request.get_json()", "request.args['none']"])
def test_what_run_raises_is_a_500(server, expression):
    answer = do(server, expression, b"{")
    assert answer.status == 500
    assert json.loads(answer.body)["message"].startswith("An unexpected error occurred in scoring")
    assert answer.headers["x-ms-run-function-failed"] == "True"


def test_no_body_is_utf_8_checked(server):
    assert server.call("POST", "/score", b"\xff").body == b"\xff"


def test_the_decorator_is_told_in_the_log(server):
    assert server.has_logged(
        r"user_script - run\(\) is decorated with @rawhttp\. Server will invoke it with the flask "
    )
