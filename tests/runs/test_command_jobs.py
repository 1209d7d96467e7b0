"""Command jobs of ARM on a real server: inputs, outputs, order."""

from tests.live import wait_for


def submit(server, name, command, **properties):
    """PUT a command job; its name."""
    body = {
        "jobType": "Command",
        "command": command,
        "environmentId": server.environment(),
        "computeId": server.cluster("jobs", most=1),
        **properties,
    }
    answer = server.call("PUT", f"/jobs/{name}", {"properties": body}, api="2023-10-01")
    assert answer.status_code == 201, answer.text
    return name


def log(server, name):
    folder = server.blobs.parent / "azureml" / "ExperimentRun" / f"dcid.{name}"
    return (folder / "user_logs" / "std_log.txt").read_text()


def test_inputs_are_read_and_outputs_written_where_they_say(server):
    server.files("command-in", 2)
    code = server.code("copy", "import sys; print(open(sys.argv[1]).read())", "copy.py")
    store = "azureml://datastores/workspaceblobstore/paths"
    submit(
        server,
        "in-and-out",
        'python copy.py ${{inputs.data}}/0001.txt >${{outputs.out}}/copy.txt; echo "$GREETING";'
        ' cp "$AZURE_ML_INPUT_one" "$AZURE_ML_OUTPUT_file"',
        codeId=code,
        environmentVariables={"GREETING": "hello ${{inputs.who}}"},
        inputs={
            "data": {"jobInputType": "uri_folder", "uri": f"{store}/command-in"},
            "one": {"jobInputType": "uri_file", "uri": f"{store}/command-in/0000.txt"},
            "who": {"jobInputType": "literal", "value": "you"},
        },
        outputs={
            "out": {"jobOutputType": "uri_folder"},
            "file": {"jobOutputType": "uri_file", "uri": f"{store}/command-out/zero.txt"},
        },
    )
    job = server.ended("in-and-out")
    assert job["status"] == "Completed", job["error"]
    assert log(server, "in-and-out") == "hello you\n"
    copied = job["outputs"]["out"]["uri"].partition("/paths/")[2]
    assert (server.blobs / copied / "copy.txt").read_text() == "1\n"
    assert (server.blobs / "command-out" / "zero.txt").read_text() == "0"


def test_jobs_wait_for_the_one_node_and_are_served_in_order(server):
    first = submit(server, "first", "sleep 1; date +%s.%N")
    second = submit(server, "second", "date +%s.%N")
    wait_for(lambda: server.job(second)["status"] in {"Queued", "Provisioning", "Completed"})
    assert server.ended(second)["status"] == server.ended(first)["status"] == "Completed"
    assert float(log(server, first)) < float(log(server, second))


def test_a_missing_input_or_name_fails_the_job_before_it_starts(server):
    missing = {
        "jobInputType": "uri_file",
        "uri": "azureml://datastores/workspaceblobstore/paths/no",
    }
    submit(server, "no-input", "cat ${{inputs.x}}", inputs={"x": missing})
    assert "inputs.x" in str(server.ended("no-input")["error"])
    submit(server, "no-name", "cat ${{inputs.y}}")
    assert server.ended("no-name")["error"]["code"] == "UnresolvedExpression"


def test_a_job_that_runs_is_cancelled_once_and_for_all(server):
    submit(server, "endless", "trap 'echo asked to end; exit 0' TERM; sleep 98 & wait")
    wait_for(lambda: server.job("endless")["status"] == "Running")
    for _ in range(2):
        assert server.call("POST", "/jobs/endless/cancel", api="2023-10-01").status_code == 200
    assert server.ended("endless")["status"] == "Canceled"
    assert "asked to end" in log(server, "endless")
    assert server.call("DELETE", "/jobs/endless", api="2023-10-01").status_code == 202


def test_a_command_that_is_killed_has_failed(server):
    submit(server, "victim", "echo doomed; kill -9 $$")
    ended = server.ended("victim")
    assert (ended["status"], ended["progress"]["exit_code"]) == ("Failed", 137)
    assert "SIGKILL" in ended["error"]["message"]


def test_exit_codes_that_look_like_signals_are_told(server):
    submit(server, "odd", "exit 170")
    ended = server.ended("odd")
    assert (ended["progress"]["exit_code"], ended["progress"]["attempt"]) == (170, 1)
    assert "exit code 170." in ended["error"]["message"]
