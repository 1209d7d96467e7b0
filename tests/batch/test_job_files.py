"""job.json, progress.json, failed_items.jsonl, and the lines of the logs."""

import json

import pytest

from lazulite.batch import launch
from lazulite.batch.engine import ProcessName
from lazulite.batch.failures import FailedItems
from lazulite.batch.job import Job
from lazulite.batch.logs import progress_line
from lazulite.batch.policy import Counts
from lazulite.batch.progress import Progress, State
from lazulite.core.errors import SpecError

LEAST = {
    "name": "j",
    "python": "/env/bin/python",
    "worker_path": "/src",
    "script": "/code/score.py",
    "code_dir": "/code",
    "env": {},
    "inputs": ["/in"],
    "output_dir": "/out",
    "log_dir": "/logs",
}


def test_what_job_json_leaves_out_has_azures_defaults():
    job = Job.from_json({**LEAST, "something_new": 1})
    assert (job.mini_batch_size, job.max_retries, job.timeout_s, job.error_threshold) == (
        10,
        3,
        30,
        -1,
    )
    assert (job.output_action, job.output_file_name) == ("append_row", "predictions.csv")


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("mini_batch_size", 0, "at least 1"),
        ("error_threshold", -2, "-1 or more"),
        ("output_action", "merge", "append_row or summary_only"),
        ("output_file_name", "../predictions.csv", "without a folder"),
        ("output_file_name", "..", "without a folder"),
        ("timeout_s", 0, "more than 0"),
    ],
)
def test_a_bad_value_is_named_with_its_rule(field, value, rule):
    with pytest.raises(SpecError, match=rule) as caught:
        Job.from_json({**LEAST, field: value})
    assert caught.value.target == field


def test_missing_fields_are_named():
    with pytest.raises(SpecError, match="lacks inputs, python"):
        Job.from_json({name: LEAST[name] for name in LEAST if name not in ("python", "inputs")})


def test_a_gpu_belongs_to_a_seat_and_processes_beyond_the_gpus_get_none():
    job = Job.from_json({**LEAST, "env": {"AZ_BATCHAI_GPU_COUNT_FOUND": "1"}})
    seen = [launch.environment(job, ProcessName("n", "process007"), seat) for seat in (0, 1)]
    assert [env["CUDA_VISIBLE_DEVICES"] for env in seen] == ["0", ""]
    assert "CUDA_VISIBLE_DEVICES" not in launch.environment(
        Job.from_json(LEAST), ProcessName("n", "process000"), 0
    )


def test_process_numbers_go_on_where_an_earlier_supervisor_stopped(tmp_path):
    job = Job.from_json({**LEAST, "log_dir": str(tmp_path)})
    assert launch.next_number(job, "n") == 0
    stdout, _ = launch.output_files(job, ProcessName("n", "process011"))
    stdout.parent.mkdir(parents=True)
    stdout.touch()
    assert launch.next_number(job, "n") == 12


def test_progress_is_written_at_most_twice_a_second_but_at_every_change(tmp_path):
    now = [1000.0]
    progress = Progress(tmp_path, lambda: now[0])
    seen = []
    for _ in range(10):
        now[0] += 0.1
        progress.note(Counts(done=len(seen)))
        seen.append((tmp_path / "progress.json").read_text())
    assert len(set(seen)) == 2
    progress.enter(State.FAILED, Counts(done=99), {"code": "X", "message": "why"})
    found = json.loads((tmp_path / "progress.json").read_text())
    assert (found["state"], found["done"], found["error"]["message"]) == ("failed", 99, "why")


def test_a_new_supervisor_keeps_the_times_of_the_first(tmp_path):
    first = Progress(tmp_path, lambda: 1000.0)
    first.begin_mini_batches()
    first.enter(State.RUNNING, Counts())
    second = Progress(tmp_path, lambda: 2000.0)
    second.begin_mini_batches()
    second.enter(State.RUNNING, Counts())
    found = json.loads((tmp_path / "progress.json").read_text())
    assert (found["started"], found["first_mini_batch"], found["updated"]) == (1000, 1000, 2000)


def test_a_spoiled_progress_file_is_taken_for_none(tmp_path):
    (tmp_path / "progress.json").write_bytes(b"\0\0\0")
    assert Progress(tmp_path, lambda: 1.0).state is State.PREPARING


def test_failed_items_of_a_mini_batch_that_runs_again_are_dropped(tmp_path):
    first = FailedItems(tmp_path, lambda _: True)
    first.failed(["/in/a", "/in/b"], 0, 4, "ValueError: no")
    first.failed(["/in/c"], 1, 4, "ValueError: no")
    first.short(3, 2, 1, "run() returned 7 results for 10 files")
    first.close()
    path = tmp_path / "failed_items.jsonl"
    path.write_bytes(path.read_bytes() + b'{"file": "/in/to')

    FailedItems(tmp_path, lambda number: number != 1).close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["file"], line["items"]) for line in lines] == [
        ("/in/a", 1),
        ("/in/b", 1),
        (None, 3),
    ]
    assert lines[2]["error"] == "run() returned 7 results for 10 files"


def test_an_error_of_many_files_is_in_full_once_for_each_mini_batch(tmp_path):
    error = "Traceback (most recent call last):\n" + "  at\n" * 800 + "ValueError: " + "no" * 900
    items = FailedItems(tmp_path, lambda _: True)
    files = [f"/in/{number}" for number in range(1000)]
    items.failed(files, 0, 4, error, {"/in/0": "its own", "/in/2": "another"})
    items.failed(files[:1], 1, 4, error)
    items.close()
    path = tmp_path / "failed_items.jsonl"
    found = [json.loads(line) for line in path.read_text().splitlines()]
    errors = [item["error"] for item in found]
    assert [item["file"] for item in found] == [*files, "/in/0"]
    assert (errors[:3], errors[-1]) == (["its own", error, "another"], error)
    assert all(short.startswith("ValueError: no") for short in errors[3:-1])
    assert path.stat().st_size < 500_000


def test_the_overview_estimates_what_is_left():
    assert progress_line(Counts(mini_batches=20000, done=5000), 3600) == (
        "Processed 5000 of 20000 mini batches in 1:00:00. Estimated remaining time 3:00:00."
    )
