"""Jobs whose tables are cut by rows: what run() gets, in which order rows come out, what fails."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.crash

SCRIPT = """
import os
def run(mini_batch):
    if isinstance(mini_batch, list) and isinstance(mini_batch[0], str):
        return [os.path.basename(path) for path in mini_batch]
    name, first = os.path.basename(mini_batch.attrs["file"]), mini_batch.attrs["first_row"]
    if name == "c.jsonl" and first == 2:
        raise ValueError("no such row")
    assert len(mini_batch) <= 2
    return ["%s %d %s" % (name, first + n, row["a"]) for n, row in enumerate(mini_batch)]
"""


def tables(bench):
    (bench.inputs / "a.csv").write_text('a,b\n1,"x\ny"\n2,z\n3,w\n')
    (bench.inputs / "b.txt").write_text("text")
    (bench.inputs / "c.jsonl").write_text("".join(f'{{"a": {n}}}\n' for n in range(5)))


def test_rows_and_files_come_out_in_input_order(bench):
    """Without pandas in the environment rows are dicts; failures are counted in rows."""
    tables(bench)
    code, progress = bench.run(script=SCRIPT, rows_per_mini_batch=2, max_retries=0)
    assert code == 0, progress
    assert bench.output.read_text().splitlines() == [
        *("a.csv 0 1", "a.csv 1 2", "a.csv 2 3"),
        "b.txt",
        *("c.jsonl 0 0", "c.jsonl 1 1", "c.jsonl 4 4"),
    ]
    assert (progress["items"], progress["rows"], progress["failed_items"]) == (9, 7, 2)
    (failed,) = map(json.loads, (bench.job_dir / "failed_items.jsonl").read_text().splitlines())
    assert (failed["file"], failed["items"]) == (str(bench.inputs / "c.jsonl"), 2)
    assert failed["error"].startswith("rows 2 to 3: ")
    assert "no such row" in failed["error"]


def test_the_summary_has_a_line_for_each_file_however_it_was_cut(bench):
    tables(bench)
    code, progress = bench.run(
        script=SCRIPT, rows_per_mini_batch=2, max_retries=0, output_action="summary_only"
    )
    assert code == 0, progress
    assert [line.rpartition("/")[2] for line in bench.output.read_text().splitlines()] == [
        "a.csv Succeeded",
        "b.txt Succeeded",
        "c.jsonl Failed",
    ]


def test_a_table_that_cannot_be_cut_fails_the_job_before_anything_is_scored(bench):
    (bench.inputs / "t.csv").write_text("a\n1\n", encoding="utf-16")
    code, progress = bench.run(script=SCRIPT, rows_per_mini_batch=2)
    assert (code, progress["error"]["code"]) == (1, "TableNotCut")
    assert "leave out lazulite.mini_batch" in progress["error"]["message"]


OLD = """
import json, sys
from pathlib import Path
def run(mini_batch):
    assert sys.version_info[:2] == (3, 6)
    return [f"{Path(path).name} {Path(path).read_text()}" for path in mini_batch]
"""


def python_3_6():
    """An interpreter of Python 3.6; the test is skipped where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    known = [*pyenv.glob("versions/3.6.*/bin/python"), *filter(None, [shutil.which("python3.6")])]
    for python in map(str, known):
        if subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0:
            return python
    return pytest.skip("there is no Python 3.6 on this machine")


def test_a_script_is_scored_by_python_3_6(bench):
    """That of TensorFlow 1.15, whose users' scripts the guides of 2021 show."""
    expected = [f"f{number:05}.txt {number}" for number in range(25)]
    bench.files(25)
    code, progress = bench.run(script=OLD, python=python_3_6())
    assert code == 0, progress
    assert bench.output.read_text().splitlines() == expected


def test_tables_are_cut_for_python_3_6(bench):
    tables(bench)
    code, progress = bench.run(
        script=SCRIPT, python=python_3_6(), rows_per_mini_batch=2, max_retries=0
    )
    assert (code, progress["rows"]) == (0, 7), progress


def test_a_table_that_changes_while_the_job_is_paused_is_not_mixed_up(bench):
    table = bench.inputs / "t.csv"
    table.write_text("a\n" + "".join(f"{n}\n" for n in range(6)))
    (bench.inputs / "u.csv").write_text("a\n7\n8\n")
    bench.write_job(script=SCRIPT, rows_per_mini_batch=2, max_retries=0)
    bench.list_nodes()
    supervisor = bench.start_supervisor()
    bench.until(lambda: (bench.job_dir / "inputs.bin").exists())
    (bench.job_dir / "pause").touch()
    assert supervisor.wait(60) == 3
    table.write_text("a\n1000000\n" + "".join(f"{n}\n" for n in range(6)))
    (bench.job_dir / "pause").unlink()
    bench.start_node()
    assert bench.start_supervisor().wait(60) == 0
    assert bench.output.read_text().splitlines() == ["u.csv 0 7", "u.csv 1 8"]
    failed = map(json.loads, (bench.job_dir / "failed_items.jsonl").read_text().splitlines())
    assert all("InputChanged" in item["error"] and item["items"] == 2 for item in failed)
    assert bench.progress["failed_items"] == 6
