"""What each setting of a batch job does to a job of real processes."""

import csv
import json

import pytest

pytestmark = pytest.mark.crash

INIT = """
import os
calls = []
def init(): calls.append(os.getpid())
def run(mini_batch): return ["%d %s" % (len(calls), calls[0] == os.getpid()) for _ in mini_batch]
"""
SEEN = """
import os, sys
def run(mini_batch):
    at = sys.argv.index
    words = [sys.argv[at(name) + 1] for name in ("--mini_batch_size", "--run_max_try", "--alpha")]
    assert os.path.isdir(sys.argv[at("--input_fds_0") + 1])
    return [" ".join([*words, os.environ["SUFFIX"]]) for _ in mini_batch]
"""
LOUD = """
import logging
def run(mini_batch):
    for say in (logging.debug, logging.info, logging.warning): say("said by %s", say.__name__)
    return mini_batch
"""
BAD_TENS = """
def run(mini_batch):
    if mini_batch[0].endswith("0.txt"): raise ValueError("a ten")
    return mini_batch
"""
TYPED = """
import os
def run(mini_batch):
    return [{"file": os.path.basename(p), "number": int(open(p).read())} for p in mini_batch]
"""


def test_init_is_called_once_in_each_process(bench):
    bench.files(100)
    assert bench.run(script=INIT, processes_per_node=3)[0] == 0
    assert set(bench.output.read_text().splitlines()) == {"1 True"}


def test_arguments_and_variables_are_seen_by_the_script(bench):
    bench.files(10)
    arguments = ["--alpha", "0.5"]
    bench.run(script=SEEN, env=bench.env(SUFFIX="s"), arguments=arguments, max_retries=2)
    assert set(bench.output.read_text().splitlines()) == {"10 3 0.5 s"}


@pytest.mark.parametrize(("level", "said"), [("debug", 3), ("info", 2), ("warning", 1)])
def test_the_logging_level_is_that_of_the_script(bench, level, said):
    bench.files(1)
    bench.run(script=LOUD, logging_level=level, processes_per_node=1)
    (log,) = (bench.logs / "user/stdout/node0").iterdir()
    assert log.read_text().count("said by") == said
    assert (bench.logs / "sys/node").exists() == (level != "warning")


@pytest.mark.parametrize(
    ("threshold", "state"), [(-1, "completed"), (0, "failed"), (9, "failed"), (10, "completed")]
)
def test_files_over_the_error_threshold_fail_the_job(bench, threshold, state):
    bench.files(100)
    failing = {"script": BAD_TENS, "mini_batch_size": 1, "max_retries": 0}
    _, progress = bench.run(**failing, error_threshold=threshold)
    assert progress["state"] == state
    assert bench.output.exists() == (state == "completed")


def test_an_output_that_exists_fails_the_job_before_anything_is_scored(bench):
    bench.files(10)
    bench.output_dir.mkdir()
    bench.output.write_text("precious")
    script = f"open({str(bench.folder / 'touched')!r}, 'w')\ndef run(b): return b\n"
    code, progress = bench.run(script=script)
    assert (code, progress["error"]["code"]) == (1, "OutputExists")
    assert not (bench.folder / "touched").exists()


@pytest.mark.parametrize("threshold", [-1, 0])
def test_what_failed_is_listed_among_the_artifacts_however_the_job_ended(bench, threshold):
    bench.files(20)
    failing = {"script": BAD_TENS, "mini_batch_size": 1, "max_retries": 1}
    _, progress = bench.run(**failing, error_threshold=threshold)
    found = list(map(json.loads, (bench.logs / "failed_items.jsonl").read_text().splitlines()))
    assert len(found) == progress["failed_items"] > 0
    for item in found:  # in the order in which they failed
        assert item["file"] == str(bench.inputs / f"f{item['mini_batch']:05}.txt")
        assert (item["mini_batch"] % 10, item["attempt"]) == (0, 2)
        assert "ValueError: a ten" in item["error"]


def test_a_job_without_a_failure_has_no_list(bench):
    bench.files(10)
    assert bench.run()[0] == 0
    assert not (bench.logs / "failed_items.jsonl").exists()


def test_rows_with_columns_are_in_input_order_with_one_header(bench):
    bench.files(105)
    assert bench.run(script=TYPED, output_format="csv", nodes=2)[0] == 0
    with bench.output.open() as file:
        header, *rows = csv.reader(file)
    assert header == ["file", "number"]
    assert rows == [[f"f{number:05}.txt", str(number)] for number in range(105)]


def test_a_summary_can_have_columns(bench):
    bench.files(3)
    changed = {"output_action": "summary_only", "output_format": "jsonl", "mini_batch_size": 1}
    bench.run(script=BAD_TENS, max_retries=0, **changed)
    lines = [json.loads(line) for line in bench.output.read_text().splitlines()]
    names = [str(bench.inputs / f"f{number:05}.txt") for number in range(3)]
    fates = ["Failed", "Succeeded", "Succeeded"]
    assert lines == [
        {"file": name, "status": fate} for name, fate in zip(names, fates, strict=True)
    ]


def test_only_what_failed_is_run_again(bench):
    bench.files(35)
    script = """
import os
def run(mini_batch):
    if "f00010" in mini_batch[0]: raise ValueError("bad")
    if "f00020" in mini_batch[0]: return mini_batch[1:]
    return mini_batch
"""
    assert bench.run(script=script, max_retries=0)[1]["failed_items"] == 11
    bench.job_dir.rename(bench.folder / "earlier")
    bench.output_dir.rename(bench.folder / "first")
    bench.job_dir.mkdir()
    assert bench.run(rerun_of=str(bench.folder / "earlier"), mini_batch_size=7)[0] == 0
    names = [f"f{number:05}.txt ok" for number in range(10, 30)]
    assert bench.output.read_text().splitlines() == names
