"""@rawhttp and AMLResponse in an environment without Flask, and with Azure's own packages."""

import pytest

HEADER = """
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse

def init():
    pass
"""

MULTIPART = (
    b'--B\r\nContent-Disposition: form-data; name="note"\r\n\r\nhi\r\n'
    b'--B\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
    b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\r\n--x\r\n--B--\r\n"
)


def raw(body):
    return HEADER + "@rawhttp\ndef run(request):\n    " + body


def test_run_gets_the_request_and_makes_the_answer(serve):
    replica = serve(
        raw(
            "return AMLResponse(request.get_data()[::-1], 201,"
            " {'Content-Type': 'image/jpeg', 'X-List': 'a, b'})"
        )
    )

    answer = replica.call("POST", "/score", b"\x00\xff")

    assert (answer.status, answer.body) == (201, b"\xff\x00")
    assert answer.headers.get_all("Content-Type") == ["image/jpeg"]
    assert answer.headers.get_all("X-List") == ["a", "b"]
    assert answer.headers["x-ms-run-function-failed"] == "False"
    assert answer.headers["x-ms-run-fn-exec-ms"]


def test_request_has_what_scripts_read_of_flasks(serve):
    replica = serve(
        raw(
            "return [request.path, request.full_path, request.args.getlist('q'),"
            " request.headers['x-own'], request.headers.get('none'), request.is_json,"
            " request.get_json()['a'], request.data.decode(), request.cookies['c'],"
            " isinstance(request, AMLRequest)]"
        )
    )

    answer = replica.call(
        "POST",
        "/score?q=1&q=%C3%A9",
        b'{"a": 1}',
        {"Content-Type": "application/json; charset=utf-8", "X-Own": "v", "Cookie": "b=1; c=2"},
    )

    assert answer.json() == [
        "/score",
        "/score?q=1&q=%C3%A9",
        ["1", "é"],
        "v",
        None,
        True,
        1,
        '{"a": 1}',
        "2",
        True,
    ]


def test_files_of_a_multipart_form_are_read_like_files(serve):
    replica = serve(
        raw(
            "f = request.files['image'];"
            " return [f.filename, f.mimetype, list(f.read()), request.form['note']]"
        )
    )

    answer = replica.call(
        "POST", "/score", MULTIPART, {"Content-Type": 'multipart/form-data; boundary="B"'}
    )

    assert answer.json() == ["a.png", "image/png", list(b"\x89PNG\r\n\r\n--x"), "hi"]


def test_broken_multipart_body_fails_the_run(serve):
    answer = serve(raw("return list(request.files)")).call(
        "POST", "/score", MULTIPART[:-6], {"Content-Type": "multipart/form-data; boundary=B"}
    )

    assert answer.status == 500


def test_user_code_cannot_overwrite_request_ids_or_break_out_of_a_header(serve):
    replica = serve(
        HEADER
        + "def run(data):\n"
        + "    answer = AMLResponse('x', 200, {'x-request-id': 'forged'})\n"
        + "    if data == 'split': answer.headers['X-Bad'] = 'a\\r\\nSet-Cookie: b'\n"
        + "    return answer\n"
    )

    good = replica.call("POST", "/score", b"", {"x-request-id": "true"})
    split = replica.call("POST", "/score", b"split")

    assert good.headers.get_all("x-request-id") == ["true"]
    assert (split.status, split.headers["Set-Cookie"]) == (500, None)


def test_answer_that_may_have_no_body_has_none(serve):
    replica = serve(raw("return AMLResponse('not sent', 204)"))

    answer = replica.raw(
        b"GET /score HTTP/1.1\r\nHost: x\r\n\r\n"
        b"GET /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )

    assert answer.count(b"HTTP/1.1 204 No Content\r\n") == 2
    assert b"not sent" not in answer
    assert b"Content-Length" not in answer


@pytest.mark.parametrize("status", [100, 0, -1, 1000])
def test_status_that_is_none_is_an_internal_error(serve, status):
    assert serve(raw(f"return AMLResponse('x', {status})")).call("GET", "/score").status == 500


def test_modules_of_the_inference_server_are_there_too(serve):
    script = HEADER.replace("azureml.contrib.services", "azureml_inference_server_http.api")

    answer = serve(script + "@rawhttp\ndef run(r): return AMLResponse(r.data, 200)").score(7)

    assert answer.body == b"7"


@pytest.mark.slow
def test_azures_own_package_is_given_a_flask_request(serve, science_python):
    replica = serve(
        """
        import flask
        from azureml_inference_server_http.api.aml_request import rawhttp
        from azureml_inference_server_http.api.aml_response import AMLResponse
        def init(): pass
        @rawhttp
        def run(request):
            assert isinstance(request, flask.Request)
            file = request.files["image"]
            return AMLResponse(file.read(), 200, {"X-Note": request.form["note"]})
        """,
        python=science_python,
    )

    answer = replica.call(
        "POST", "/score", MULTIPART, {"Content-Type": "multipart/form-data; boundary=B"}
    )

    assert (answer.status, answer.body) == (200, b"\x89PNG\r\n\r\n--x")
    assert answer.headers["X-Note"] == "hi"
