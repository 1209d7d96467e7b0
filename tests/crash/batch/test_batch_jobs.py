import pytest

pytestmark = pytest.mark.crash


def test_a_job_scores_each_file_once_in_input_order(bench):
    expected = bench.files(1003)
    code, progress = bench.run(nodes=2)
    print((bench.folder / "lazulite.batch.supervisor.log").read_text())
    assert (code, progress["state"]) == (0, "completed")
    assert bench.output.read_text() == expected
    print(progress)
