"""The contract of azureml-inference-server-http, over a real socket. Source: spec/ONLINE.md 5."""

import json
import uuid

import pytest

ECHO = """
def init():
    pass

def run(data):
    return data
"""


def test_body_reaches_run_as_text_and_its_result_is_json(serve):
    replica = serve(ECHO)

    answer = replica.call("POST", "/score", '{"a": "é"}'.encode())

    assert replica.said == {"ready": True}
    assert (answer.status, answer.json()) == (200, '{"a": "é"}')
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["x-ms-run-function-failed"] == "False"
    assert float(answer.headers["x-ms-run-fn-exec-ms"]) >= 0


def test_query_of_a_get_reaches_run_as_json(serve):
    answer = serve(ECHO).call("GET", "/score?a=1&b=[1,2]&c=x&c=2&d=null&e=")

    assert json.loads(answer.json()) == {"a": 1, "b": [1, 2], "c": ["x", 2], "d": None, "e": ""}


def test_health_probe_is_healthy(serve):
    answer = serve(ECHO).call("GET", "/")

    assert (answer.status, answer.body) == (200, b"Healthy")
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "target", "status", "message"),
    [
        ("GET", "/nothing", 404, "The requested URL was not found on the server."),
        ("PUT", "/score", 405, "The method is not allowed for the requested URL."),
        ("POST", "/", 405, "The method is not allowed for the requested URL."),
        ("HEAD", "/score", 405, None),
    ],
)
def test_other_routes_and_methods_are_refused_in_json(serve, method, target, status, message):
    answer = serve(ECHO).call(method, target)

    assert answer.status == status
    if message is not None:
        assert answer.json()["message"].startswith(message)


def test_options_is_answered_without_calling_run(serve):
    answer = serve(ECHO).call("OPTIONS", "/score")

    assert (answer.status, answer.body) == (200, b"")


def test_body_that_is_not_utf_8_is_a_bad_request(serve):
    answer = serve(ECHO).call("POST", "/score", b"\xff\xfe")

    assert answer.status == 400
    assert answer.json()["message"].startswith("Input cannot be decoded as UTF-8: ")


def test_exception_in_run_is_told_in_the_log_only(serve):
    replica = serve("def init(): pass\ndef run(data): raise KeyError('secret')")

    answer = replica.score(1)

    assert answer.status == 500
    assert answer.json() == {
        "message": "An unexpected error occurred in scoring script. Check the logs for more info."
    }
    assert answer.headers["x-ms-run-function-failed"] == "True"
    replica.wait_for_log("KeyError: 'secret'")


def test_sys_exit_in_run_fails_the_request_not_the_replica(serve):
    replica = serve("import sys\ndef init(): pass\ndef run(data): sys.exit(data != '1')")

    assert [replica.score(1).status, replica.call("GET", "/").status] == [500, 200]


@pytest.mark.parametrize("result", ["object()", "{1: {2}}", "b'x'"])
def test_result_without_a_json_form_is_an_internal_error(serve, result):
    answer = serve(f"def init(): pass\ndef run(data): return {result}").score(1)

    assert answer.status == 500
    assert answer.json()["message"] == (
        "An unexpected internal error occurred. Check the logs for more info."
    )


def test_nan_goes_out_as_json_dumps_writes_it(serve):
    answer = serve("def init(): pass\ndef run(data): return [float('nan'), 1e400]").score(1)

    assert answer.body == b"[NaN, Infinity]"


def test_request_headers_are_handed_to_a_run_that_asks_for_them(serve):
    replica = serve("def init(): pass\ndef run(data, request_headers): return request_headers")

    headers = replica.score(1, **{"x-mIxed-name": "v"}).json()

    assert headers["X-Mixed-Name"] == "v"
    assert headers["Content-Type"] == "application/json"


def test_request_ids_are_echoed(serve):
    headers = {"x-request-id": "r1", "x-ms-client-request-id": "c1", "TraceId": "t1"}

    answer = serve(ECHO).score(1, **headers)

    assert answer.headers["x-request-id"] == "r1"
    assert answer.headers["x-ms-request-id"] == "c1"
    assert answer.headers["x-ms-client-request-id"] == "c1"
    assert answer.headers["TraceId"] == "t1"


def test_request_id_is_made_where_none_is_given(serve):
    replica = serve(ECHO)

    first, second = replica.score(1).headers, replica.score(1).headers

    assert uuid.UUID(first["x-request-id"]) != uuid.UUID(second["x-request-id"])
    assert first["x-ms-request-id"] == first["x-request-id"]
    assert first["x-ms-client-request-id"] is None


def test_legacy_request_id_becomes_the_client_request_id(serve):
    replica = serve(ECHO)

    answer = replica.score(1, **{"x-ms-request-id": "old"})

    assert answer.headers["x-ms-client-request-id"] == "old"
    replica.wait_for_log("x-ms-request-id header has been deprecated")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x-request-id", "x-request-id must not exceed 100 characters"),
        (
            "x-ms-request-id",
            "x-ms-request-id and x-ms-client-request-id must not exceed 100 characters",
        ),
        (
            "x-ms-client-request-id",
            "x-ms-request-id and x-ms-client-request-id must not exceed 100 characters",
        ),
    ],
)
def test_too_long_id_is_refused_and_not_echoed(serve, name, message):
    answer = serve(ECHO).score(1, **{name: "x" * 101})

    assert (answer.status, answer.json()) == (431, {"message": message})
    assert answer.headers[name] is None


def test_access_line_has_method_path_status_time_and_length(serve):
    replica = serve(ECHO)

    replica.call("POST", "/score?q=1", b"x")

    replica.wait_for_log("azmlinfsrv - POST /score?q=1 200 ")
    line = next(line for line in replica.log().splitlines() if "?q=1" in line)
    assert line.endswith("ms 3")


def test_prints_and_log_records_are_lines_of_the_log(serve):
    replica = serve(
        """
        import logging, sys
        def init():
            print("hello", "init")
            logging.getLogger("mine").info("from %s", "logging")
            print("to stderr", file=sys.stderr)
        def run(data):
            print("\\udcff é")
        """
    )
    replica.score(1)

    replica.wait_for_log("POST /score 200")
    assert "azmlinfsrv.print - hello init\n" in replica.log()
    assert f" I [{replica.process.pid}] mine - from logging\n" in replica.log()
    assert "to stderr\n" in replica.log()
    assert "azmlinfsrv.print - \\udcff é\n" in replica.log()


def test_logging_json_of_the_user_is_obeyed(serve, tmp_path):
    config = {
        "version": 1,
        "formatters": {
            "own": {
                "class": "azureml_inference_server_http.log_config.AMLLogFormatter",
                "format": "OWN %(message)s",
            }
        },
        "handlers": {
            "out": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "own",
            }
        },
        "loggers": {"azmlinfsrv": {"level": "INFO", "handlers": ["out"], "propagate": False}},
    }
    (tmp_path / "logging.json").write_text(json.dumps(config))

    replica = serve("def init(): print('formed')\ndef run(data): return 1")

    assert "OWN formed\n" in replica.log()


def test_swagger_document_is_made_for_each_version(serve):
    replica = serve(ECHO, env={"SERVICE_NAME": "svc", "SERVICE_PATH_PREFIX": "/p/"})

    two = replica.call("GET", "/swagger.json").json()
    three = replica.call("GET", "/swagger.json?version=3.1").json()

    assert two["swagger"] == "2.0"
    assert two["info"]["title"] == "svc"
    assert set(two["paths"]) == {"/p/", "/p/score", "/p/swagger.json"}
    assert two["definitions"]["ServiceInput"] == {"type": "object", "example": {}}
    assert three["openapi"] == "3.1.0"
    assert "ServiceOutput" in three["components"]["schemas"]


def test_swagger_file_of_the_user_wins(serve, tmp_path):
    (tmp_path / "swagger.json").write_text('{"mine": true}')

    assert serve(ECHO).call("GET", "/swagger.json?version=2.0").json() == {"mine": True}


def test_unknown_swagger_version_is_not_found(serve):
    answer = serve(ECHO).call("GET", "/swagger.json?version=4")

    assert answer.status == 404
    assert answer.json()["message"] == (
        "Swagger version [4] is not valid. Supported versions: [2, 3, 3.1]."
    )


def test_cors_is_granted_to_the_listed_origins_only(serve):
    replica = serve(ECHO, env={"AML_CORS_ORIGINS": "https://a.example, https://b.example"})

    good = replica.call("OPTIONS", "/score", headers={"Origin": "https://b.example"})
    bad = replica.call("OPTIONS", "/score", headers={"Origin": "https://c.example"})

    assert good.headers["Access-Control-Allow-Origin"] == "https://b.example"
    assert good.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert bad.headers["Access-Control-Allow-Origin"] is None


def test_server_version_header_is_sent_when_it_is_set(serve):
    replica = serve(ECHO, env={"HTTP_X_MS_SERVER_VERSION": "azmlinfsrv/1"})

    assert replica.call("GET", "/").headers["x-ms-server-version"] == "azmlinfsrv/1"


def test_modules_beside_the_entry_script_and_in_the_app_root_can_be_imported(serve, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "beside.py").write_text("X = 1")
    (tmp_path / "atroot.py").write_text("X = 2")
    (tmp_path / "data.txt").write_text("3")
    (tmp_path / "deep" / "main_script.py").write_text(
        "import sys, beside, atroot\n"
        "def init(): pass\n"
        "def run(data): return [beside.X, atroot.X, open('data.txt').read(), sys.argv]\n"
    )

    replica = serve(env={"AZUREML_ENTRY_SCRIPT": "deep/main_script.py"})

    assert replica.score(0).json() == [1, 2, "3", ["deep/main_script.py"]]


def test_main_is_the_script_where_none_is_named(serve, tmp_path):
    (tmp_path / "main.py").write_text(ECHO)

    assert serve().score(1).json() == "1"


def test_user_module_named_like_one_of_the_standard_library_does_not_break_the_replica(
    serve, tmp_path
):
    for name in ("http", "socket", "selectors", "json", "logging"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('shadowed')")

    assert serve(ECHO).score(1).status == 200


def test_driver_module_is_initialised_but_its_script_is_run(serve, tmp_path):
    (tmp_path / "real.py").write_text("def run(data): return ready\n")
    replica = serve(
        """
        import real as driver_module
        def init(): driver_module.ready = "by driver"
        def run(*args): raise AssertionError
        """
    )

    assert replica.score(1).json() == "by driver"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("def init(): raise ValueError('no model here')\ndef run(d): pass", "no model here"),
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("def run(data): pass", "does not have a init() function defined."),
        ("def init(): pass", "does not have a run() function defined."),
        ("def init(): pass\ndef run(): pass", "run() needs to accept an argument for input data."),
        (
            "def init(): pass\ndef run(request_headers): pass",
            'run() needs to accept an argument other than "request_headers".',
        ),
        (
            "def init(): pass\ndef run(*a): pass",
            "run() cannot accept positional-only arguments, *args, or **kwargs.",
        ),
        ("def init(): raise SystemExit(0)\ndef run(d): pass", "SystemExit: 0"),
        ("def init(:", "SyntaxError"),
    ],
)
def test_script_that_cannot_be_served_ends_with_its_traceback_and_code_3(serve, script, reason):
    replica = serve(script)

    assert reason in replica.said["error"]
    assert replica.process.wait(10) == 3
    assert reason in replica.log()


def test_failed_init_shows_what_is_in_the_model_folder(serve, tmp_path):
    model = tmp_path / "models"
    (model / "inner").mkdir(parents=True)
    (model / "inner" / "model.pkl").touch()

    replica = serve(
        "def init(): raise OSError\ndef run(d): pass", env={"AZUREML_MODEL_DIR": str(model)}
    )
    replica.process.wait(10)

    assert "inner/\n" in replica.log()
    assert "model.pkl\n" in replica.log()


def test_long_traceback_is_cut_at_its_start(serve):
    replica = serve("def init(): raise ValueError('x' * 20000 + 'END')\ndef run(d): pass")

    assert len(replica.said["error"]) <= 8192
    assert replica.said["error"].rstrip().endswith("END")


def test_processes_that_the_script_spawns_can_start(serve):
    replica = serve(
        """
        import multiprocessing, operator
        def init(): pass
        def run(data):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                return pool.apply(operator.add, (1, 2))
        """
    )

    assert replica.score(0).json() == 3


def test_classes_of_the_script_can_be_pickled(serve):
    replica = serve(
        """
        import pickle
        class Thing: pass
        def init(): pass
        def run(data): return type(pickle.loads(pickle.dumps(Thing()))).__name__
        """
    )

    assert replica.score(1).json() == "Thing"
