"""A million inputs: the list, the journal and the policy stay small, also when a job goes on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
MOST_MIB = 300
PLAN = """
import sys
from pathlib import Path
from lazulite.batch import supervisor
from lazulite.batch.inputs import ByFiles, InputsFile
from lazulite.batch.journal import Journal
from lazulite.batch.policy import Policy, Rules

folder, size = Path(sys.argv[1]), int(sys.argv[2])
names = [b"/data/blobs/main/azureml-blobstore/a/folder/with/images/%07d"  % n for n in range(10**6)]
inputs = InputsFile(folder)
inputs.write(ByFiles(sorted(names), size))
del names
batches = inputs.read()
for begins in (True, False):
    journal = Journal(folder, batches.crc, len(batches))
    policy = Policy(Rules(3, -1, 3), len(batches), batches.items, journal.recovered())
    assert policy.is_over is not begins
    while not policy.is_over:
        taken = policy.take(256)
        counts = map(batches.count, taken)
        journal.commit([policy.returned(n, c, c, c, b"row\\n" * c) for n, c in zip(taken, counts)])
    assert (policy.counts.rows, len(list(journal.ranges()))) == (10**6, 1)
    journal.close()
# Not ru_maxrss: that of a new process begins with its parent's.
(peak,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(peak.split()[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", [10, pytest.param(1, marks=pytest.mark.nightly)])
def test_a_million_inputs_are_planned_and_journaled_in_little_memory(tmp_path, size):
    """Of the whole process: Python and the supervisor's modules are some 20 MiB of it."""
    ran = subprocess.run(
        [sys.executable, "-c", PLAN, str(tmp_path), str(size)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert 0 < int(ran.stdout) < MOST_MIB
