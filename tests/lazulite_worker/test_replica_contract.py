"""A replica as its keeper sees it: what it says of its start, what its script finds around it.

The contract that users see is held from outside: tests/serving/contract.
"""

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


def test_user_module_named_like_one_of_the_standard_library_does_not_break_the_replica(
    serve, tmp_path
):
    for name in ("http", "socket", "selectors", "json", "logging"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('shadowed')")

    assert serve(ECHO).score(1).status == 200


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("def init(): raise ValueError('no model here')\ndef run(d): pass", "no model here"),
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("def init(): raise SystemExit(0)\ndef run(d): pass", "SystemExit: 0"),
        ("def init(:", "SyntaxError"),
    ],
)
def test_script_that_cannot_be_served_ends_with_its_traceback_and_code_3(serve, script, reason):
    replica = serve(script)

    assert reason in replica.said["error"]
    assert replica.process.wait(10) == 3
    assert reason in replica.log()


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
