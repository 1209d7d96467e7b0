"""Which files a rerun of an earlier job is about."""

import json
import os

import pytest

from lazulite.batch.inputs import ByFiles, Input, InputsFile
from lazulite.batch.reruns import failed_inputs
from lazulite.batch.row_cuts import cut
from lazulite.core.errors import SpecError


@pytest.fixture
def earlier(tmp_path):
    """The folder of a job over in/, two files a mini-batch; the second and third have failures."""
    folder, data = tmp_path / "job", tmp_path / "in"
    folder.mkdir()
    (data / "sub").mkdir(parents=True)
    names = ["a", "b", "c", "d", "sub/e", "sub/f"]
    for name in names:
        (data / name).touch()
    inputs = InputsFile(folder)
    inputs.write(ByFiles([os.fsencode(data / name) for name in names], 2))
    inputs.close()
    fields = dict.fromkeys(("name", "python", "worker_path", "code_dir", "output_dir"), "x")
    job = {**fields, "log_dir": "x", "script": None, "env": {}, "inputs": [{"path": str(data)}]}
    (folder / "job.json").write_text(json.dumps(job))
    failed = [{"file": str(data / "sub/f"), "mini_batch": 2}, {"file": None, "mini_batch": 1}]
    lines = "".join(json.dumps(each) + "\n" for each in failed)
    (folder / "failed_items.jsonl").write_text(lines)
    return folder


def named(files, root):
    return [os.path.relpath(os.fsdecode(path), root) for path in files]


def test_they_are_those_listed_and_all_of_a_short_mini_batch(earlier, tmp_path):
    found = failed_inputs(earlier, [Input(str(tmp_path / "in"))])
    assert named(found, tmp_path / "in") == ["c", "d", "sub/f"]


def test_data_that_were_fetched_anew_may_be_elsewhere(earlier, tmp_path):
    (tmp_path / "in").rename(tmp_path / "now")
    found = failed_inputs(earlier, [Input(str(tmp_path / "now"))])
    assert named(found, tmp_path / "now") == ["c", "d", "sub/f"]


def test_a_file_that_is_gone_is_named(earlier, tmp_path):
    (tmp_path / "in/sub/f").unlink()
    with pytest.raises(SpecError, match="sub/f failed in the earlier job and is not there"):
        failed_inputs(earlier, [Input(str(tmp_path / "in"))])


def test_an_earlier_job_that_was_deleted_is_an_error(tmp_path):
    with pytest.raises(SpecError, match="was deleted meanwhile"):
        failed_inputs(tmp_path / "gone", [Input(str(tmp_path))])


def test_of_a_table_that_was_cut_the_parts_that_failed_are_run(earlier, tmp_path):
    table = tmp_path / "in/t.csv"
    table.write_text("n\n1\n2\n3\n")
    (earlier / "inputs.bin").unlink()
    inputs = InputsFile(earlier)
    inputs.write(cut([os.fsencode(table)], 10, 1, lambda: None))
    inputs.close()
    failed = {"file": str(table), "mini_batch": 1}
    (earlier / "failed_items.jsonl").write_text(json.dumps(failed) + "\n")
    (part,) = failed_inputs(earlier, [Input(str(tmp_path / "in"))])
    assert (part.path, part.first_row, part.rows) == (str(table), 1, 1)
    again = cut([part], 10, 0, lambda: None)
    assert (list(again), again.items, again.size) == ([part.pack()], 1, 0)
    later = (earlier / "inputs.bin").stat().st_mtime + 1
    os.utime(table, (later, later))
    with pytest.raises(SpecError, match=r"t\.csv has changed"):
        failed_inputs(earlier, [Input(str(tmp_path / "in"))])
