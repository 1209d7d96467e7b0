"""Batch jobs from start to end: results, and scripts that misbehave."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.crash

BAD = """
import os, time
def init(): pass
def run(mini_batch):
    n = int(os.path.basename(mini_batch[0])[1:6])
    rows = [os.path.basename(path) + " ok" for path in mini_batch]
    if n == 100:
        time.sleep(600)
    if n == 200:
        raise ValueError("bad input")
    if n == 300:
        os._exit(139)
    if n == 400:
        return rows[:-3]
    if n == 500:
        with open(os.environ["ONCE"], "a") as file:
            file.write("x")
        if os.path.getsize(os.environ["ONCE"]) < 3:
            raise RuntimeError("transient")
    return rows
"""
HUNG_IN_C = """
import os, ctypes, subprocess
def run(mini_batch):
    if "f00000" in mini_batch[0]:
        subprocess.Popen(["sleep", "600"])
        ctypes.PyDLL(None).sleep(600)  # keeps the GIL
    return mini_batch
"""


def read_json_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("nodes", [1, 2])
def test_a_job_scores_each_file_once_in_input_order(bench, nodes):
    expected = bench.files(1003)
    code, progress = bench.run(nodes=nodes)
    assert (code, progress["state"], progress["error"]) == (0, "completed", None)
    assert bench.output.read_text() == expected
    assert (progress["mini_batches"], progress["done"]) == (101, 101)
    assert (progress["rows"], progress["items"], progress["failed_items"]) == (1003, 1003, 0)
    assert progress["started"] <= progress["first_mini_batch"] <= progress["updated"]
    assert [path.name for path in bench.output_dir.iterdir()] == ["predictions.csv"]
    assert not (bench.job_dir / "rows").exists()
    assert bench.processes() == []


def test_the_logs_are_where_azure_has_them(bench):
    bench.files(30)
    script = "def init(): print('init')\ndef run(b):\n    print('scored', len(b))\n    return b\n"
    bench.run(script=script, processes_per_node=1)
    logs = bench.logs
    assert "scored 10" in (logs / "user/stdout/node0/process000.stdout.txt").read_text()
    assert (logs / "user/stderr/node0/process000.stderr.txt").read_text() == ""
    assert "Completed." in (logs / "job_result.txt").read_text()
    (overview,) = logs.glob("job_progress_overview.*.txt")
    assert "Processed 3 of 3 mini batches" in overview.read_text()
    lines = (logs / "sys/node/node0/process000.txt").read_text().splitlines()
    assert [line.split("\t")[1:5] for line in lines[1:]] == [
        [str(n), "10", "10", "0"] for n in range(3)
    ]
    driver = (logs.parent / "azureml-logs/70_driver_log.txt").read_text()
    assert driver == (logs / "sys/master_role.txt").read_text()
    head, used = (logs / "perf/node0/processes_resource_usage.csv").read_text().splitlines()
    shown = dict(zip(head.split(","), used.split(","), strict=True))
    assert (shown["process"], int(shown["memory_mib"]) > 3) == ("process000", True)
    for name in ("node_resource_usage.csv", "node_disk_usage.csv"):
        assert len((logs / "perf/node0" / name).read_text().splitlines()) == 2


def test_the_result_tells_which_process_has_failed_at_what(bench):
    bench.files(30)
    script = "def run(b):\n    if 'f00010' in b[0]: 1 / 0\n    return b\n"
    _, progress = bench.run(script=script, processes_per_node=1, max_retries=1)
    told = (bench.logs / "job_result.txt").read_text()
    assert "node0 process000: 2 failed tries of mini-batches" in told
    assert "ZeroDivisionError" in (bench.logs / "user/error/node0/process000.txt").read_text()
    assert (progress["left_items"], progress["remaining_s"]) == (0, 0)
    assert progress["items_per_s"] > 0


def test_a_job_that_has_ended_says_again_how_and_does_nothing(bench):
    bench.files(10)
    assert bench.run()[0] == 0
    before = bench.output.stat()
    assert bench.start_supervisor().wait(20) == 0
    assert bench.output.stat() == before


def test_misbehaving_mini_batches_cost_their_own_files_only(bench):
    bench.files(1000)
    once = bench.folder / "once"
    code, progress = bench.run(
        script=BAD, timeout_s=0.5, max_retries=2, env=bench.env(ONCE=str(once))
    )
    assert (code, progress["state"]) == (0, "completed")
    assert (progress["failed_items"], progress["failed_mini_batches"]) == (33, 3)
    assert (progress["rows"], progress["retries"]) == (967, 8)
    rows = bench.output.read_text().splitlines()
    gone = {f"f{n:05}.txt ok" for first in (100, 200, 300) for n in range(first, first + 10)}
    gone |= {f"f{n:05}.txt ok" for n in (407, 408, 409)}
    assert rows == [row for n in range(1000) if (row := f"f{n:05}.txt ok") not in gone]

    failed = read_json_lines(bench.job_dir / "failed_items.jsonl")
    assert sum(line["items"] for line in failed) == 33
    reasons = {line["mini_batch"]: line["error"] for line in failed}
    assert reasons[10].startswith("RUN_TIMEOUT: run() did not return within 0.5 s")
    assert 'score.py", line 8 in run' in reasons[10]
    assert reasons[20].endswith("ValueError: bad input\n")
    assert reasons[30].startswith("PROCESS_DIED: the process ended with exit code 139")
    assert reasons[40] == "run() returned 7 results for 10 files"
    assert "bad input" in (bench.logs / "user/error.txt").read_text()


def test_the_error_threshold_ends_the_job_with_nothing_published(bench):
    bench.files(1000)
    script = "def run(b):\n    if '00500' in b[0]: raise ValueError('bad')\n    return b\n"
    code, progress = bench.run(script=script, max_retries=0, error_threshold=9)
    assert (code, progress["state"]) == (1, "failed")
    assert progress["error"]["code"] == "ErrorThresholdExceeded"
    assert (
        "10 input files failed, which exceeds the error_threshold of 9"
        in progress["error"]["message"]
    )
    assert list(bench.output_dir.iterdir()) == []
    assert bench.start_supervisor().wait(20) == 1


def test_a_run_that_hangs_with_the_gil_held_is_killed_with_its_children(bench):
    bench.files(40)
    code, progress = bench.run(script=HUNG_IN_C, timeout_s=0.3, max_retries=0)
    assert (code, progress["failed_items"], progress["rows"]) == (0, 10, 30)
    assert bench.processes() == []


def test_no_succeeded_item_fails_the_job(bench):
    bench.files(20)
    code, progress = bench.run(script="def run(b): raise ValueError('always')", max_retries=1)
    assert (code, progress["error"]["code"]) == (1, "NoSucceededItems")
    assert (progress["retries"], progress["failed_items"]) == (2, 20)


def test_an_init_that_raises_fails_the_job_with_its_traceback(bench):
    bench.files(10)
    script = "def init():\n    raise RuntimeError('no such model')\ndef run(b): return b\n"
    code, progress = bench.run(script=script)
    assert (code, progress["error"]["code"]) == (1, "InitFailed")
    assert "RuntimeError: no such model" in progress["error"]["message"]
    assert "score.py" in progress["error"]["message"]
    assert "no such model" in (bench.logs / "sys/error/node0/process000.txt").read_text()


def test_an_init_that_hangs_fails_the_job_with_its_stack(bench):
    bench.files(10)
    script = "import time\ndef init():\n    time.sleep(600)\ndef run(b): return b\n"
    code, progress = bench.run(script=script, init_timeout_s=0.5)
    assert (code, progress["error"]["code"]) == (1, "InitFailed")
    assert "init() did not finish within 0.5 s" in progress["error"]["message"]
    assert "line 3 in init" in progress["error"]["message"]


SLOW_START = """
import os, time
def init():
    with open(STARTS, "a+") as starts:
        if os.environ["LAZULITE_BATCH_AGENT"] != "process000":
            starts.write("x")
            raise RuntimeError("no memory left")
        while os.path.getsize(STARTS) < 13:
            time.sleep(0.01)
def run(b): return b
"""


def test_a_process_in_its_first_init_is_waited_for_while_others_fail(bench):
    bench.files(10)
    script = f"STARTS = {str(bench.folder / 'starts')!r}\n{SLOW_START}"
    code, progress = bench.run(script=script, processes_per_node=4)
    assert (code, progress["state"]) == (0, "completed")


def test_an_init_that_dies_fails_the_job(bench):
    bench.files(10)
    script = (
        "import os, signal\ndef init():\n    os.kill(0, signal.SIGSEGV)\ndef run(b): return b\n"
    )
    code, progress = bench.run(script=script)
    assert (code, progress["error"]["code"]) == (1, "InitFailed")
    assert "was killed by signal 11 (SIGSEGV" in progress["error"]["message"]


def test_a_python_that_does_not_exist_fails_the_job(bench):
    bench.files(10)
    code, progress = bench.run(python="/no/such/python")
    assert (code, progress["error"]["code"]) == (1, "InitFailed")
    assert "/no/such/python" in progress["error"]["message"]


def test_an_existing_output_is_never_overwritten(bench):
    bench.files(10)
    bench.output_dir.mkdir()
    bench.output.write_text("precious")
    code, progress = bench.run()
    assert (code, progress["error"]["code"]) == (1, "OutputExists")
    assert bench.output.read_text() == "precious"


def test_a_missing_input_fails_the_job(bench):
    code, progress = bench.run(inputs=[str(bench.folder / "nowhere")])
    assert (code, progress["error"]["code"]) == (1, "InputNotFound")


def test_a_broken_job_file_fails_the_job(bench):
    bench.write_job(mini_batch_size=0)
    assert bench.start_supervisor().wait(20) == 1
    assert "mini_batch_size is 0" in bench.progress["error"]["message"]


def test_summary_only_keeps_the_files_of_the_script_and_a_summary(bench):
    bench.files(25)
    script = """
import os
def run(mini_batch):
    for path in mini_batch:
        name = os.path.basename(path)
        with open(os.path.join(os.environ["AZUREML_BI_OUTPUT_PATH"], name), "w") as file:
            file.write("scored")
    return mini_batch
"""
    code, progress = bench.run(script=script, output_action="summary_only")
    assert (code, progress["rows"]) == (0, 25)
    summary = bench.output.read_text().splitlines()
    assert summary == [f"{bench.inputs}/f{n:05}.txt Succeeded" for n in range(25)]
    assert len(list(bench.output_dir.iterdir())) == 26


def test_sigterm_cancels_and_publishes_nothing(bench):
    bench.files(1000)
    bench.write_job(script="import time\ndef run(b):\n    time.sleep(0.05)\n    return b\n")
    bench.start_node()
    supervisor = bench.start_supervisor()
    bench.until(lambda: bench.progress["done"] > 5)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(10) == 2
    assert bench.progress["state"] == "canceled"
    assert list(bench.output_dir.iterdir()) == []
    bench.until(lambda: not bench.processes())


def test_a_cancel_file_cancels_even_a_job_without_nodes(bench):
    bench.files(10)
    bench.write_job()
    (bench.job_dir / "cancel").touch()
    assert bench.start_supervisor().wait(20) == 2


def test_shutdown_is_called_in_every_process(bench):
    bench.files(100)
    script = """
import os, time
def init(): open(os.path.join(os.environ["UP"], str(os.getpid())), "w").close()
def run(mini_batch):
    while len(os.listdir(os.environ["UP"])) < 2:
        time.sleep(0.01)
    return mini_batch
def shutdown(): print("bye")
"""
    up = bench.folder / "up"
    up.mkdir()
    bench.run(script=script, env=bench.env(UP=str(up)))
    outs = sorted((bench.logs / "user/stdout/node0").iterdir())
    assert [("bye" in path.read_text()) for path in outs] == [True, True]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB; skips where mounting is not allowed."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "lz", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


BIG = "def run(b): return ['x' * 20000 for _ in b]\n"


def test_a_full_output_disk_is_reported_and_nothing_half_published(bench, small_disk):
    bench.files(200)
    code, progress = bench.run(script=BIG, output_dir=str(small_disk / "out"))
    assert (code, progress["state"]) == (1, "failed")
    assert progress["error"]["code"] == "OutputWriteFailed"
    assert "No space left on device" in progress["error"]["message"]
    assert list((small_disk / "out").iterdir()) == []


def test_a_full_job_disk_is_reported_even_there(bench, small_disk):
    bench.files(200)
    bench.job_dir = small_disk / "job"
    bench.job_dir.mkdir()
    code, progress = bench.run(script=BIG)
    assert (code, progress["state"]) == (1, "failed")
    assert "No space left on device" in progress["error"]["message"]
    assert list(bench.output_dir.iterdir()) == []


def test_a_file_size_limit_is_reported(bench):
    bench.files(200)
    bench.write_job(script=BIG)
    bench.start_node()
    limit = ["prlimit", "--fsize=1000000"]
    assert bench.start_supervisor(before=limit).wait(30) == 1
    assert "File too large" in bench.progress["error"]["message"]
    assert list(bench.output_dir.iterdir()) == []


def test_inputs_with_names_that_are_not_utf_8_are_scored(bench):
    Path(os.fsdecode(os.fsencode(bench.inputs) + b"/\xff.bin")).touch()
    script = "import os\ndef run(b): return [os.path.basename(p) + ' ok' for p in b]\n"
    assert bench.run(script=script)[0] == 0
    assert bench.output.read_bytes() == b"\xff.bin ok\n"


def test_a_paused_job_finishes_what_was_begun_and_goes_on_without_repeating_it(bench):
    """Two files begin before the pause; every file is scored once, whoever rests meanwhile."""
    expected = bench.files(40)
    script = """
import os, time
def run(mini_batch):
    with open(os.environ["CALLS"], "ab", 0) as file:
        file.write(b".")
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.005)
    return [os.path.basename(path) + " ok" for path in mini_batch]
"""
    calls, go = bench.folder / "calls", bench.folder / "go"
    bench.write_job(script=script, mini_batch_size=1, env=bench.env(CALLS=str(calls), GO=str(go)))
    bench.start_node()
    supervisor = bench.start_supervisor()
    bench.until(lambda: calls.exists() and calls.stat().st_size == 2)
    (bench.job_dir / "pause").touch()
    go.touch()
    assert supervisor.wait(20) == 3
    assert (bench.progress["state"], bench.progress["done"]) == ("paused", calls.stat().st_size)
    assert list(bench.output_dir.iterdir()) == []
    bench.until(lambda: not bench.processes())
    (bench.job_dir / "pause").unlink()
    assert bench.start_supervisor().wait(20) == 0
    assert bench.output.read_text() == expected
    assert (calls.stat().st_size, bench.progress["retries"]) == (40, 0)
