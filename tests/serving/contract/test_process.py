"""Arguments, variables, settings, logs, exit codes. Source: spec/ONLINE.md 5.1 and 5.2."""

import concurrent.futures
import json
import os
import signal
import socket

import pytest

from tests.live import wait_for
from tests.serving.contract.conftest import GENUINE, free_port

SCRIPT = """
import json, os, sys, time

def init():
    print("the model is in", os.environ.get("AZUREML_MODEL_DIR"))

def run(raw_data):
    return eval(raw_data)
"""
SLOW = SCRIPT.replace("print(", "time.sleep(0.2) or print(")


def test_settings_and_routes_are_printed_before_the_start(serve, tmp_path):
    options = ("--model_dir", "models/m", "--worker_count", "2")
    server = serve(SCRIPT, options, {"WORKER_TIMEOUT": "60"}).ready(2)
    settings = [
        "Server Settings",
        "---------------",
        f"Entry Script Name: {tmp_path}/score.py",
        "Model Directory: models/m",
        "Config File: None",
        "Worker Count: 2",
        "Worker Timeout (seconds): 60",
        f"Server Port: {server.port}",
        f"Health Port: {server.port}",
        "Application Insights Enabled: false",
        "Application Insights Key: None",
        "Inferencing HTTP server version: azmlinfsrv/1.5.1",
        "CORS for the specified origins: None",
        "Create dedicated endpoint for health: None",
        "",
        "",
        "Server Routes",
        "---------------",
        f"Liveness Probe: GET   127.0.0.1:{server.port}/",
        f"Score:          POST  127.0.0.1:{server.port}/score",
    ]
    lines = server.text.splitlines()
    begin = lines.index("Server Settings")
    assert lines[begin : begin + len(settings)] == settings
    assert any(line.startswith("Azure ML Inferencing HTTP server v") for line in lines[:begin])
    assert "azmlinfsrv.print - the model is in models/m\n" in server.text


def test_a_missing_model_folder_is_told(serve):
    server = serve(SCRIPT).ready()
    assert "The environment variable 'AZUREML_MODEL_DIR' has not been set.\n" in server.text
    assert "Use the --model_dir command line argument to set it.\n" in server.text
    assert "Worker Timeout (seconds): None" in server.text


@pytest.mark.parametrize(
    "options",
    [
        ("--port", "0"),
        ("--port", "65536"),
        ("--port", "http"),
        ("--health_port", "0"),
        ("--worker_count", "0"),
        ("--nothing",),
    ],
)
def test_a_bad_argument_prints_help_and_ends_with_1(serve, options):
    server = serve(SCRIPT, options)
    assert server.ends() == 1
    assert options[0] in server.text
    assert "--entry_script" in server.text
    assert "--access_control_allow_origins" in server.text


def test_without_a_script_or_a_config_file_it_ends_with_1(serve):
    server = serve(SCRIPT, script=None)
    assert server.ends() == 1
    assert "--entry_script" in server.text
    assert "--config_file" in server.text


def test_its_hidden_argument_is_taken(serve):
    assert serve(SCRIPT, ("--rest",)).ready().do("1+1").json() == 2


def test_ports_of_variables_do_not_count(serve):
    other = free_port()
    server = serve(SCRIPT, env={"SERVER_PORT": str(other), "HEALTH_PORT": str(other)}).ready()
    assert f"Server Port: {server.port}" in server.text
    assert server.do("1").status == 200


def test_health_may_have_a_port_of_its_own(serve):
    health = free_port()
    env = {"SEPERATE_HEALTH_ENDPOINT": "true"}
    server = serve(SCRIPT, ("--health_port", str(health)), env).ready()
    assert f"Health Port: {health}" in server.text
    assert server.call("GET", "/", port=health).body == b"Healthy"
    assert server.call("GET", "/").body == b"Healthy"
    assert server.do("1").json() == 1


def test_a_config_file_has_the_names_of_variables(serve, tmp_path):
    settings = {
        "AZUREML_ENTRY_SCRIPT": "score.py",
        "AZUREML_MODEL_DIR": "from/file",
        "SCORING_TIMEOUT_MS": 7000,
        "SERVICE_NAME": "named",
        "OTHER": 1,
    }
    (tmp_path / "c.json").write_text(json.dumps(settings))
    server = serve(SCRIPT, ("--config_file", "c.json"), script=None).ready()
    assert server.call("GET", "/swagger.json").json()["info"]["title"] == "named"
    assert f"Config File: {tmp_path}/c.json" in server.text
    assert "Scoring timeout is set to 7000" in server.text


def test_a_config_file_lies_beside_the_script_too(serve, tmp_path):
    (tmp_path / "config.json").write_text('{"SCORING_TIMEOUT_MS": "8000", "SERVICE_NAME": "file"}')
    server = serve(SCRIPT, env={"SERVICE_NAME": "variable"}).ready()
    assert "Scoring timeout is set to 8000" in server.text
    assert server.call("GET", "/swagger.json").json()["info"]["title"] == "variable"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"SCORING_TIMEOUT_MS": "soon"}, "SCORING_TIMEOUT_MS"),
        ({"AZUREML_DEBUG_PORT": "x"}, "AZUREML_DEBUG_PORT"),
    ],
)
def test_a_bad_variable_is_a_boot_error(serve, env, said):
    server = serve(SCRIPT, env=env)
    assert server.ends() == 3
    assert said in server.text


def test_a_broken_config_file_is_a_boot_error(serve, tmp_path):
    (tmp_path / "config.json").write_text("{")
    server = serve(SCRIPT)
    assert server.ends() == 3
    assert "Invalid config file" in server.text


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("def init(:\n", "SyntaxError"),
        ("def init():\npass\n", "IndentationError: "),
        ("import nothing_like_it\n", "No module named 'nothing_like_it'"),
        ("def init(): pass\n", "does not have a run() function defined."),
        ("def run(data): pass\n", "does not have a init() function defined."),
        ("def init(): 1/0\ndef run(data): pass\n", "ZeroDivisionError"),
        ("def init(): pass\ndef run(): pass\n", "run() needs to accept an argument for input data"),
        (
            "def init(): pass\ndef run(request_headers): pass\n",
            'run() needs to accept an argument other than "request_headers".',
        ),
        (
            "def init(): pass\ndef run(*data): pass\n",
            "run() cannot accept positional-only arguments, *args, or **kwargs.",
        ),
        (
            "def init(): pass\ndef run(data, **more): pass\n",
            "run() cannot accept positional-only arguments, *args, or **kwargs.",
        ),
    ],
)
def test_a_script_that_cannot_be_served_ends_with_3(serve, script, said):
    server = serve(script)
    assert server.ends() == 3
    assert said in server.text


def test_a_script_that_is_not_there_ends_with_3(serve):
    server = serve(SCRIPT, script="other.py")
    assert server.ends() == 3
    assert "other.py" in server.text


def test_a_failed_init_shows_the_model_folder(serve, tmp_path):
    (tmp_path / "m" / "inner").mkdir(parents=True)
    (tmp_path / "m" / "inner" / "model.pkl").touch()
    server = serve("def init(): 1/0\ndef run(data): pass\n", ("--model_dir", str(tmp_path / "m")))
    assert server.ends() == 3
    for line in (r"Model Directory Contents:", r"m/", r"    inner/", r"        model.pkl"):
        assert f" - {line}\n" in server.text
    assert "User's init function failed\n" in server.text


def test_a_port_in_use_ends_it(serve):
    with socket.create_server(("", 0)) as other:
        port = other.getsockname()[1]
        server = serve(SCRIPT, ("--port", str(port)))
        assert server.ends() != 0


def test_sigterm_ends_it_with_0(serve):
    server = serve(SCRIPT).ready()
    server.process.send_signal(signal.SIGTERM)
    assert server.ends() == 0


def test_workers_answer_side_by_side(serve):
    server = serve(SCRIPT, ("--worker_count", "2")).ready(2)
    wait = "(time.sleep(0.5), os.getpid())[1]"
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pids = {answer.json() for answer in pool.map(server.do, [wait, wait])}
    assert len(pids) == 2


def test_a_worker_that_dies_is_replaced(serve):
    server = serve(SCRIPT).ready()
    os.kill(server.do("os.getpid()").json(), signal.SIGKILL)
    server.ready(2)
    assert server.do("1").json() == 1


def test_a_worker_that_hangs_is_replaced(serve):
    server = serve(SCRIPT, env={"WORKER_TIMEOUT": "1"}).ready()
    server.raw(b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\ntime.sleep(60)")
    server.ready(2)
    assert server.do("1").json() == 1


def test_run_has_a_time_limit(serve):
    server = serve(SCRIPT, env={"SCORING_TIMEOUT_MS": "300"}).ready()
    answer = server.do("time.sleep(60)")
    assert (answer.status, answer.json()) == (500, {"message": "Scoring timeout after 300 ms"})
    assert answer.headers["x-ms-run-function-failed"] == "True"
    assert server.do("1").json() == 1
    assert "Scoring timeout is set to 300" in server.text


def test_a_preloaded_script_is_served(serve):
    server = serve(SCRIPT, ("--worker_count", "2"), {"WORKER_PRELOAD": "true"})
    server.ready()
    wait_for(server.listens)  # the other one is ready before it listens
    assert server.do("1+1").json() == 2


ORIGINS = "https://a.example, https://b.example"


def test_pages_of_the_origins_may_call(serve):
    server = serve(SCRIPT, ("--access_control_allow_origins", ORIGINS)).ready()
    assert f"CORS for the specified origins: Enabling CORS for {ORIGINS}\n" in server.text
    assert f"azmlinfsrv - Enabling CORS for the following origins: {ORIGINS}\n" in server.text
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-own"}
    good = server.call("OPTIONS", headers={"Origin": "https://b.example", **asks})
    assert good.headers["Access-Control-Allow-Origin"] == "https://b.example"
    assert set(good.headers["Access-Control-Allow-Methods"].split(", ")) == {"GET", "POST"}
    assert good.headers["Access-Control-Allow-Headers"] == "x-own"
    scored = server.do("1", Origin="https://a.example")
    assert scored.headers["Access-Control-Allow-Origin"] == "https://a.example"
    bad = server.call("OPTIONS", headers={"Origin": "https://c.example", **asks})
    assert "Access-Control-Allow-Origin" not in bad.headers


def test_pages_of_all_origins_may_call(serve):
    server = serve(SCRIPT, env={"AML_CORS_ORIGINS": "*"}).ready()
    assert server.do("1", Origin="https://x.example").headers["Access-Control-Allow-Origin"] in (
        "*",
        "https://x.example",
    )


def test_the_version_is_not_told_if_that_is_off(serve):
    server = serve(SCRIPT, env={"SERVER_VERSION_LOG_RESPONSE_ENABLED": "false"}).ready()
    assert "x-ms-server-version" not in server.do("1").headers
    assert "Inferencing HTTP server version: None" in server.text


@pytest.mark.parametrize(
    ("key", "lines"),
    [
        (
            "no key",
            [
                "Invalid Application Insights instrumentation key provided.",
                "Application Insights has been disabled.",
                "Application Insights Enabled: false",
            ],
        ),
        pytest.param(
            "11111111-2222-4333-8444-555555555555",
            [
                "Valid Application Insights instrumentation key provided.",
                "Application Insights Enabled: true",
            ],
            marks=pytest.mark.ours,  # the other one then waits for a cloud
        ),
    ],
)
def test_the_key_of_application_insights_is_checked_and_not_printed(serve, key, lines):
    said = "os.environ['AML_APP_INSIGHTS_ENABLED']"
    server = serve(SCRIPT, ("--appinsights_instrumentation_key", key)).ready()
    assert f"Application Insights Enabled: {server.do(said).json()}" in lines
    for line in [*lines, "Application Insights Key: AppInsights key provided"]:
        assert f"{line}\n" in server.text
    assert key not in server.text


def test_logging_json_is_obeyed(serve, tmp_path):
    config = {
        "version": 1,
        "formatters": {
            "own": {
                "class": "azureml_inference_server_http.log_config.AMLLogFormatter",
                "format": "OWN %(name)s %(message)s",
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
    server = serve(SCRIPT).ready()
    server.do("print('hello')")
    assert server.has_logged(
        rf"^OWN azmlinfsrv Loaded logging config from {tmp_path}/logging\.json$"
    )
    assert server.has_logged(r"^OWN azmlinfsrv\.print the model is in None$")
    assert server.has_logged(r"^OWN azmlinfsrv\.print hello$")


def test_modules_are_found_in_the_root_and_the_source_folder(serve, tmp_path):
    for folder, name in (("source", "of_source"), (".", "of_root")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{name}.py").write_text(f"NAME = {name!r}\n")
    script = "import of_root, of_source\n" + SCRIPT
    env = {"AML_APP_ROOT": str(tmp_path), "AZUREML_SOURCE_DIRECTORY": "source"}
    server = serve(script, env=env).ready()
    assert server.do("[of_root.NAME, of_source.NAME]").json() == ["of_root", "of_source"]


def test_a_main_that_is_missing_is_told(serve, tmp_path):
    (tmp_path / "c.json").write_text("{}")
    server = serve(SCRIPT, ("--config_file", "c.json"), script=None)
    assert server.ends() == 3
    assert "No score script found. Expected score script main.py." in server.text


def test_main_is_the_script_if_none_is_named(serve, tmp_path):
    (tmp_path / "main.py").write_text(SCRIPT)
    (tmp_path / "c.json").write_text("{}")
    env = {"AML_APP_ROOT": str(tmp_path)}
    server = serve(SCRIPT, ("--config_file", "c.json"), env, script=None)
    assert server.ready().do("__name__").json() == "main"


def test_a_driver_module_is_initialised_and_its_script_is_run(serve, tmp_path):
    (tmp_path / "real.py").write_text("def run(data): return ready\n")
    script = """
    import real as driver_module
    def init(): driver_module.ready = "by driver"
    def run(*args): raise AssertionError
    """
    env = {"AML_APP_ROOT": str(tmp_path)}
    server = serve(script, env=env).ready()
    assert server.do("1").json() == "by driver"
    assert "Found driver script at" in server.text


def test_removed_features_are_warned_of(serve):
    server = serve(SCRIPT, env={"AML_DBG_MODEL_INFO": "1"}).ready()
    assert "The debuggability features have been removed." in server.text


def test_a_debugger_that_cannot_be_had_ends_it(serve):
    server = serve(SCRIPT, env={"AZUREML_DEBUG_PORT": "5678"})
    wait_for(
        lambda: "** Cannot connect to a debugger because debugpy is not installed" in server.text
    )
    assert "!! Starting the inference server in DEBUGGING mode because" in server.text
    assert GENUINE or server.ends() == 3  # the other one tries again for ever


def test_the_scripts_own_arguments_are_none(serve):
    if not GENUINE:
        assert serve(SCRIPT).ready().do("len(sys.argv)").json() == 1
