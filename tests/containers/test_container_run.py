"""A process in a container is to whoever starts it like any other child."""

import os
import signal
import subprocess

import pytest

from lazulite.executors.container import Image
from lazulite.executors.container_engine import Engine
from lazulite.executors.holders import labels, sweep
from lazulite.executors.launch import Launch
from lazulite.executors.wrappers import inside
from tests.engine import IMAGE
from tests.live import wait_for

pytestmark = pytest.mark.docker

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
print("there", flush=True)
time.sleep(99)
"""


@pytest.fixture
def sandbox(engine_socket, tmp_path):
    return Image(engine=str(engine_socket), image=IMAGE, owner=str(tmp_path)).sandbox()


def start(sandbox, code, *, env=None, descriptors=()):
    launch = Launch(
        argv=("python3", "-c", code), env=env or {}, cwd="/", descriptors=tuple(descriptors)
    )
    with inside(sandbox, launch) as wrapped:
        return subprocess.Popen(
            wrapped.argv,
            env=dict(wrapped.env),
            cwd=wrapped.cwd,
            pass_fds=wrapped.descriptors,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )


def test_output_exit_code_and_variables_are_those_of_the_process(sandbox, containers):
    code = "import os, sys; print(os.environ['GREETING'], os.getuid()); sys.exit(7)"
    process = start(sandbox, code, env={"GREETING": "hello"})
    out, _ = process.communicate(timeout=60)
    assert out.decode().split() == ["hello", str(os.getuid())]
    assert process.returncode == 7
    wait_for(lambda: containers() == [])


def test_descriptors_arrive_under_their_numbers_and_nothing_else_does(sandbox):
    reading, writing = os.pipe()
    code = f"import os; os.write({writing}, b'passed'); print(sorted(os.listdir('/proc/self/fd')))"
    process = start(sandbox, code, descriptors=[writing])
    os.close(writing)
    out, _ = process.communicate(timeout=60)
    assert os.read(reading, 99) == b"passed"
    assert os.read(reading, 99) == b""  # nobody holds the other end any more
    os.close(reading)
    assert set(eval(out)) <= {"0", "1", "2", "3", str(writing)}


def test_a_signal_is_passed_on(sandbox):
    process = start(sandbox, STUBBORN)
    assert process.stdout.readline() == b"there\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 3
    process.communicate()


def test_a_process_that_a_signal_ends_is_told_as_such(sandbox):
    process = start(sandbox, "import os; os.kill(os.getpid(), 11)")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGSEGV


def test_files_are_seen_where_they_are_shown_and_read_only_unless_said(sandbox, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "text").write_text("seen")
    (tmp_path / "hidden").write_text("secret")
    out = tmp_path / "out"
    code = (
        f"import os; open({str(out / 'copy')!r}, 'w').write(open({str(tmp_path / 'in/text')!r})."
        f"read()); print(os.path.exists({str(tmp_path / 'hidden')!r}))\n"
        f"open({str(tmp_path / 'in/new')!r}, 'w')"
    )
    shown = sandbox.showing(str(tmp_path / "in")).showing(str(out), writable=True)
    process = start(shown, code)
    said, errors = process.communicate(timeout=60)
    assert (out / "copy").read_text() == "seen"
    assert said == b"False\n"
    assert b"Read-only file system" in errors


def test_kill_of_the_holder_leaves_no_container(sandbox, containers):
    process = start(sandbox, STUBBORN)
    assert process.stdout.readline() == b"there\n"
    assert len(containers()) == 1
    process.kill()
    process.communicate()
    wait_for(lambda: containers() == [])


@pytest.mark.parametrize(
    ("image", "python", "said"),
    [("no-such:1", "python3", "No such image"), (IMAGE, "python9", "python9"),
     (IMAGE, "/usr/bin/cat", "it ended at once and said")],
)  # fmt: skip
def test_what_cannot_be_started_says_why(engine_socket, tmp_path, image, python, said):
    sandbox = Image(
        engine=str(engine_socket), image=image, owner=str(tmp_path), python=python
    ).sandbox()
    process = start(sandbox, "pass")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 125
    assert said in errors.decode()


def test_the_sweep_removes_what_nobody_holds_and_nothing_else(engine_socket, tmp_path, containers):
    engine, sleeping = Engine(str(engine_socket)), {"Image": IMAGE, "Cmd": ["sleep", "99"]}
    held = engine.create({**sleeping, "Labels": labels(str(tmp_path))})
    gone = {**labels(str(tmp_path)), "lazulite.holder": "boot.4000000.1"}
    engine.create({**sleeping, "Labels": gone})
    engine.start(engine.create({**sleeping, "Labels": gone}))
    others = engine.create({**sleeping, "Labels": {**gone, "lazulite.data-dir": "/elsewhere"}})
    try:
        assert sweep(engine, str(tmp_path)) == 2
        assert {each[:12] for each in (held, others)} == set(containers())
    finally:
        engine.remove(held)
        engine.remove(others)
