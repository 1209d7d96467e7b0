"""What every Executor promises, asked of all of them."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from lazulite.executors.local import INNER, LocalExecutor, exit_code
from lazulite.executors.memory import MemoryExecutor
from lazulite.executors.protocol import Phase, Task

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture(params=["local", "memory"])
async def executor(request, tmp_path):
    made = (
        LocalExecutor(tmp_path, {"PATH": "/usr/bin:/bin"})
        if request.param == "local"
        else MemoryExecutor(tmp_path)
    )
    yield made
    for folder in tmp_path.iterdir():
        await made.stop(folder.name, kill=True)


async def reaches(executor, name, *phases):
    deadline = time.monotonic() + 30
    while (seen := await executor.observe(name)) not in phases:
        assert time.monotonic() < deadline, seen
        await asyncio.sleep(0.01)
    return seen


async def test_a_name_never_heard_of_is_lost(executor):
    assert await executor.observe("nobody") is Phase.LOST
    await executor.stop("nobody")
    await executor.forget("nobody")


async def test_a_task_runs_until_it_is_stopped(executor):
    await executor.ensure(Task(name="t", command=SLEEP))
    await reaches(executor, "t", Phase.RUNNING)
    await executor.stop("t")
    assert await reaches(executor, "t", Phase.SUCCEEDED, Phase.FAILED)
    await executor.stop("t")


async def test_a_task_that_is_stopped_as_it_starts_does_not_run_on(executor):
    for number in range(20):
        name = f"t{number}"
        await executor.ensure(Task(name=name, command=SLEEP))
        await executor.stop(name)
        assert await reaches(executor, name, Phase.SUCCEEDED, Phase.FAILED)


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_the_exit_code_is_noted_through_a_stop(tmp_path, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    script = "trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done"
    command = [shell, "-c", INNER, "name", "1", shell, "-c", script]
    with subprocess.Popen(command, cwd=tmp_path, start_new_session=True) as wrapper:
        while not (tmp_path / "log").exists() or not (tmp_path / "log").read_text():
            time.sleep(0.01)
        os.killpg(wrapper.pid, signal.SIGTERM)
    assert exit_code(tmp_path) == 7


async def test_starting_twice_adopts(executor):
    for _ in range(3):
        await executor.ensure(Task(name="t", command=SLEEP, files={"spec.json": "{}"}))
    await reaches(executor, "t", Phase.RUNNING)
    assert (executor.folder("t") / "spec.json").read_text() == "{}"


async def test_a_killed_task_has_ended(executor):
    await executor.ensure(Task(name="t", command=SLEEP))
    await reaches(executor, "t", Phase.RUNNING)
    await executor.stop("t", kill=True)
    await reaches(executor, "t", Phase.LOST)


async def test_a_forgotten_name_is_free_again(executor):
    await executor.ensure(Task(name="t", command=SLEEP))
    await reaches(executor, "t", Phase.RUNNING)
    await executor.stop("t", kill=True)
    await executor.forget("t")
    assert await executor.observe("t") is Phase.LOST
    await executor.ensure(Task(name="t", command=SLEEP))
    await reaches(executor, "t", Phase.RUNNING)


async def test_exit_codes_and_output_are_kept(tmp_path):
    executor = LocalExecutor(tmp_path, {"PATH": "/usr/bin:/bin", "GREETING": "hello"})
    code = "import os; print(os.environ['GREETING'], os.environ['NAME']); raise SystemExit(3)"
    await executor.ensure(
        Task(name="t", command=(sys.executable, "-c", code), env={"NAME": "it's $me"})
    )
    await reaches(executor, "t", Phase.FAILED)
    assert exit_code(executor.folder("t")) == 3
    assert (executor.folder("t") / "log").read_text() == "hello it's $me\n"


async def test_racing_starters_start_one_process(tmp_path):
    executor = LocalExecutor(tmp_path, {"PATH": "/usr/bin:/bin"})
    code = "open('starts', 'a').write('x')"
    task = Task(name="t", command=(sys.executable, "-c", code))
    await asyncio.gather(*(executor.ensure(task) for _ in range(8)))
    await reaches(executor, "t", Phase.SUCCEEDED)
    await asyncio.sleep(0.1)
    assert (executor.folder("t") / "starts").read_text() == "x"


async def test_a_reused_pid_is_not_mistaken_for_the_task(tmp_path):
    executor = LocalExecutor(tmp_path, {})
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "pid").write_text("1 1")
    assert await executor.observe("t") is Phase.LOST


async def test_a_task_whose_wrapper_was_killed_is_still_this_task(tmp_path):
    executor = LocalExecutor(tmp_path, {"PATH": "/usr/bin:/bin"})
    code = "import time; open('starts', 'a').write('x'); time.sleep(60)"
    task = Task(name="t", command=(sys.executable, "-c", code))
    await executor.ensure(task)
    wrapper = int((tmp_path / "t" / "pid").read_text().split()[0])
    deadline = time.monotonic() + 30
    starts = tmp_path / "t" / "starts"
    while not (starts.exists() and starts.read_text()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    os.kill(wrapper, signal.SIGKILL)
    await executor.ensure(task)
    assert await executor.observe("t") is Phase.RUNNING
    await executor.stop("t", kill=True)
    await reaches(executor, "t", Phase.LOST)
    assert starts.read_text() == "x"


async def test_a_start_that_never_came_to_a_process_is_lost_and_can_be_repeated(tmp_path):
    executor = LocalExecutor(tmp_path, {"PATH": "/usr/bin:/bin"})
    (tmp_path / "t").mkdir()
    assert await executor.observe("t") is Phase.LOST
    await executor.ensure(Task(name="t", command=SLEEP))
    assert await executor.observe("t") is Phase.RUNNING
    await executor.stop("t", kill=True)
