"""The probes of spec/SECURITY.md 3.8: what code in a sandbox tries, and what comes of it."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import pytest

from lazulite.executors import bubblewrap, limits
from lazulite.executors.launch import Launch, Sandbox
from lazulite.executors.wrappers import inside
from tests.live import processes_of, wait_for

SYSTEM_PYTHON = "/usr/bin/python3"
PYTHON = str(Path(sys.base_prefix, "bin/python3"))
NOBODY = 65534
TROUBLE = bubblewrap.trouble(bubblewrap.find() or "bwrap")
pytestmark = pytest.mark.skipif(bool(TROUBLE), reason=f"no bubblewrap: {TROUBLE}")

USERS = [
    pytest.param(None, id="as-the-server"),
    pytest.param(
        NOBODY,
        id="unprivileged",
        marks=pytest.mark.skipif(
            os.getuid() != 0 or not Path(SYSTEM_PYTHON).exists(),
            reason="only root can become another user, and needs a Python that all may run",
        ),
    ),
]


class Box:
    """A sandbox, in which Python code runs."""

    def __init__(self, folder, user):
        self.folder, self.user = folder, user
        self.python = PYTHON if user is None else SYSTEM_PYTHON
        self.server = folder / "server"
        self.server.mkdir()
        (self.server / "secret").write_text("s3cret")
        self.code = folder / "server" / "code"
        self.code.mkdir()
        details = {bubblewrap.HIDDEN: str(self.server), bubblewrap.TMP_MIB: "8"}
        details |= {limits.PROCESSES: "60"}
        box = Sandbox(kind=bubblewrap.KIND, details=details)
        self.sandbox = box.showing(sys.base_prefix if user is None else None, str(self.code))
        for path in (folder, *folder.parents):
            if user is not None and path.owner() == "root" and path != Path("/"):
                path.chmod(path.stat().st_mode | 0o055)

    def start(self, code, sandbox=None, **env):
        """Start the code; it prints what it found."""
        bare = Launch(argv=(self.python, "-c", code), env={"HOME": "/root", **env}, cwd="/")
        with inside(sandbox or self.sandbox, bare) as launch:
            return subprocess.Popen(
                launch.argv,
                env=launch.env,
                cwd=launch.cwd,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                text=True,
                user=self.user,
                pass_fds=launch.descriptors,
            )

    def says(self, code, sandbox=None, **env):
        """What the code prints, as JSON."""
        out, err = self.start(code, sandbox, **env).communicate(timeout=60)
        assert out, err
        return json.loads(out)

    def tries(self, expression, imports="os", sandbox=None):
        """The error that an expression ends with, or "allowed"."""
        code = f"""
import json, {imports}
try:
    {expression}
    print(json.dumps("allowed"))
except BaseException as error:
    print(json.dumps(type(error).__name__))
"""
        return self.says(code, sandbox)


@pytest.fixture(params=USERS)
def box(request):
    """In a folder of its own: pytest closes its folders to others whenever it starts again."""
    with tempfile.TemporaryDirectory() as folder:
        yield Box(Path(folder), request.param)


def test_the_servers_files_are_not_there(box):
    assert box.tries(f"open({str(box.server / 'secret')!r})") == "FileNotFoundError"
    assert box.says(f"import os,json;print(json.dumps(os.listdir({str(box.server)!r})))") == [
        "code"
    ]


def test_nothing_of_the_server_or_the_system_can_be_written(box):
    for place in (box.server / "new", box.code / "new", Path("/new"), Path("/etc/new")):
        assert box.tries(f"open({str(place)!r}, 'w')") == "OSError", place
    assert box.tries("open('/usr/new', 'w')") in {"OSError", "PermissionError"}


def test_no_setting_of_the_kernel_can_be_written(box):
    code = """
import json, os
found = []
for folder, _, names in os.walk("/proc"):
    for name in names:
        if not folder.startswith("/proc/self") and not folder[6:7].isdigit():
            try:
                os.close(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_NONBLOCK))
                found.append(os.path.join(folder, name))
            except OSError:
                pass
print(json.dumps(found))
"""
    assert box.says(code) == []
    assert box.tries("open('/proc/sys/kernel/core_pattern', 'w')") in {"OSError", "PermissionError"}
    if box.user is None:  # else the test's pipe is another user's
        assert box.tries("open('/dev/stderr', 'w').write('x')") == "allowed"


def test_what_it_may_write_is_written_here(box):
    out = box.folder / "out"
    out.mkdir()
    out.chmod(0o777)
    shown = box.sandbox.showing(str(out), writable=True)
    assert box.tries(f"open({str(out / 'row')!r}, 'w').write('1')", sandbox=shown) == "allowed"
    assert (out / "row").read_text() == "1"


def test_its_variables_do_nothing_to_the_program_that_makes_the_sandbox(box):
    code = "import os,json;print(json.dumps(dict(os.environ)))"
    trace = Path(f"/tmp/trace-{uuid.uuid4()}")  # whoever runs outside writes it in another /tmp
    given = {"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(trace), "A.B": "\n= x", "Z": ""}
    seen = box.says(code, **given)
    assert {name: seen.get(name) for name in given} == given
    assert list(trace.parent.glob(f"{trace.name}*")) == []


def test_variables_are_not_told_in_arguments_and_no_descriptor_stays(box):
    code = "import os,json;print(json.dumps(sorted(map(int, os.listdir('/proc/self/fd')))))"
    details = {**box.sandbox.details, bubblewrap.BINDS_OPENED: "yes"}
    opened = dataclasses.replace(box.sandbox, details=details)
    opened = opened.showing(str(box.server / "secret"), without_links=True)
    assert box.says(code, opened, SECRET="s3cret") == [0, 1, 2, 3]  # the last lists the folder
    before = set(Path("/proc/self/fd").iterdir())
    with inside(box.sandbox, Launch(argv=("x",), env={"SECRET": "s3cret"}, cwd="/")) as launch:
        assert "s3cret" not in str((launch.argv, launch.env))
    assert set(Path("/proc/self/fd").iterdir()) == before


@pytest.fixture
def place(box):
    """A folder that other jobs write to, and that was checked to be no link."""
    place = box.folder / "theirs" / "input"
    place.mkdir(parents=True)
    (place / "secret").write_text("data")
    return place


@pytest.mark.parametrize("moved", ["", "yes"])
def test_what_becomes_a_link_while_it_is_mounted_does_not_open_the_servers_files(box, place, moved):
    details = {**box.sandbox.details, bubblewrap.BINDS_OPENED: "yes"}
    checked = dataclasses.replace(box.sandbox, details=details)
    file = place / "secret"
    checked = checked.showing(str(place if moved else file), without_links=True)
    code = f"print(open({str(file)!r}).read())"
    bare = Launch(argv=(box.python, "-c", code), env={}, cwd="/")
    with inside(checked, bare) as launch:
        changed = place if moved else file
        changed.rename(changed.with_name("away"))
        changed.symlink_to(box.server if moved else box.server / "secret")
        found = subprocess.run(
            launch.argv,
            pass_fds=launch.descriptors,
            capture_output=True,
            text=True,
            user=box.user,
            check=False,
        )
    assert found.stdout in {"data\n", ""}, found.stderr


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("opened", ["", "yes"])
def test_a_link_that_was_made_since_the_check_is_refused(box, place, depth, opened):
    details = {**box.sandbox.details, bubblewrap.BINDS_OPENED: opened}
    checked = dataclasses.replace(box.sandbox, details=details)
    checked = checked.showing(str(place), without_links=True)
    assert box.tries(f"open({str(place / 'secret')!r})", sandbox=checked) == "allowed"
    changed = [place, *place.parents][depth]
    changed.rename(changed.with_name("away"))
    changed.symlink_to(changed.with_name("away"))
    before = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(OSError, match="A link has been made"):
        box.start("pass", checked)
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_what_must_be_no_link_need_not_be_there(box, place):
    checked = box.sandbox.showing(str(place / "none"), str(place), without_links=True)
    assert box.tries(f"open({str(place / 'secret')!r})", sandbox=checked) == "allowed"


def test_keys_of_the_machines_services_are_not_seen(box):
    private = next(iter(Path("/etc").glob("*/private")), None)
    if private is None:
        pytest.skip("this machine has no folder of private keys")
    assert box.tries(f"os.listdir({str(private)!r})") == "PermissionError"


def test_processes_of_others_are_not_seen(box):
    code = "import os,json;print(json.dumps([int(n) for n in os.listdir('/proc') if n.isdigit()]))"
    assert box.says(code) == [1, 2]


def test_the_environment_of_the_server_is_not_seen(box, monkeypatch):
    code = """
import glob, json
def shows(path):
    try:
        return b'CANARY' in open(path, 'rb').read()
    except OSError:
        return False
print(json.dumps([path for path in glob.glob('/proc/*/environ') if shows(path)]))
"""
    monkeypatch.setenv("CANARY", "1")
    assert box.says(code) == []
    assert box.tries(f"open('/proc/{os.getpid()}/environ')") == "FileNotFoundError"


def test_others_cannot_be_signalled(box):
    for target in (os.getpid(), os.getppid()):
        assert box.tries(f"os.kill({target}, 0)") == "ProcessLookupError"


def test_services_of_this_machine_are_out_of_reach_without_the_network(box):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connect = f"socket.create_connection(('127.0.0.1', {listener.getsockname()[1]}), 5)"
        alone = Sandbox(**{**vars(box.sandbox), "network": False})
        assert box.tries(connect, "socket", alone) in {"OSError", "ConnectionRefusedError"}
        assert box.tries(connect, "socket") == "allowed"


def test_memory_ends_at_its_limit(box):
    details = {**box.sandbox.details, limits.MEMORY_MIB: "600"}
    small = Sandbox(**{**vars(box.sandbox), "details": details})
    assert box.tries("bytearray(700 << 20)", sandbox=small) == "MemoryError"
    assert box.tries("bytearray(200 << 20)", sandbox=small) == "allowed"


def test_a_fork_bomb_stays_in_its_sandbox(box):
    if box.user is None and os.getuid() == 0:
        pytest.skip("the kernel does not limit the processes of root")
    code = """
import json, os, time
count = 0
try:
    while count < 300:
        if os.fork() == 0:
            time.sleep(60)
        count += 1
except OSError:
    pass
print(json.dumps(count))
"""
    with box.start(code) as bomb:
        assert 40 < int(bomb.stdout.readline()) < 60
        others = [box.tries("os.fork() or os._exit(0)") for _ in range(2)]
        bomb.kill()
    assert others == ["allowed", "allowed"]


def test_a_full_tmp_is_full_for_it_alone(box):
    assert box.tries("open('/tmp/big', 'wb').write(bytes(9 << 20))") == "OSError"
    assert box.tries("open('/dev/shm/big', 'wb').write(bytes(9 << 20))") == "OSError"
    assert box.tries("open('/tmp/small', 'wb').write(bytes(1 << 20))") == "allowed"
    assert not Path("/tmp/small").exists()


def test_it_has_no_privileges_and_gets_none(box):
    code = """
import json
fields = dict(line.split(":") for line in open("/proc/self/status"))
print(json.dumps([fields[name].strip() for name in ("CapEff", "CapBnd", "NoNewPrivs")]))
"""
    assert box.says(code) == ["0" * 16, "0" * 16, "1"]


def test_its_home_is_its_own(box):
    code = "import os,json,pathlib;print(json.dumps(str(pathlib.Path.home())))"
    assert box.says(code) == "/tmp"
    assert box.says(code, HOME=str(box.code)) == str(box.code)


def test_what_it_leaves_running_ends_with_it(box):
    code = f"""
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir({str(box.code)!r})
        time.sleep(600)
    os._exit(0)
os.wait()
time.sleep(0.2)
print("1", flush=True)
"""
    process = box.start(code)
    assert process.communicate()[0] == "1\n"
    wait_for(lambda: processes_of(box.code) == [], 10)


@pytest.mark.crash
def test_all_of_it_ends_when_bwrap_is_killed(box):
    code = f"import os, time; os.chdir({str(box.code)!r}); print(1, flush=True); time.sleep(600)"
    with box.start(code) as process:
        process.stdout.readline()
        assert bubblewrap.process_of(process.pid) in [pid for pid, _ in processes_of(box.code)]
        process.kill()
    wait_for(lambda: processes_of(box.code) == [], 10)


def test_signals_reach_the_process_and_its_end_is_told(box):
    code = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(1, flush=True)
while True: time.sleep(1)
"""
    with box.start(code) as process:
        process.stdout.readline()
        os.kill(bubblewrap.process_of(process.pid), signal.SIGTERM)
        assert bubblewrap.ending(process.wait()) == 7
    with box.start("import os; os.kill(os.getpid(), 9)") as killed:
        assert bubblewrap.ending(killed.wait()) == -9


def test_a_process_that_has_ended_is_not_looked_for(box):
    with box.start("pass") as process:
        process.wait()
    assert bubblewrap.process_of(process.pid) == process.pid


def test_descriptors_are_handed_through(box):
    reading, writing = os.pipe()
    code = f"import os; os.write({writing}, b'x')"
    bare = Launch(argv=(box.python, "-c", code), env={}, cwd="/", descriptors=(writing,))
    with inside(box.sandbox, bare) as launch:
        process = subprocess.Popen(
            launch.argv, env=launch.env, cwd="/", pass_fds=launch.descriptors, user=box.user
        )
    os.close(writing)
    begun = time.monotonic()
    assert os.read(reading, 2) == b"x"
    assert os.read(reading, 2) == b""  # bwrap itself keeps no end of the pipe
    assert process.wait() == 0
    assert time.monotonic() - begun < 60
    os.close(reading)


def test_a_program_that_is_no_bubblewrap_is_told_apart(tmp_path):
    assert "does not work here" in bubblewrap.trouble(str(tmp_path / "bwrap"))
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\necho bubblewrap 0.4.1\n")
    old.chmod(0o755)
    assert bubblewrap.trouble(str(old)) == "bubblewrap 0.4.1 is too old: 0.7 or later is needed"


def test_a_link_in_a_folder_that_is_shown_may_be_named_too(box):
    data = box.folder / "data"
    data.mkdir()
    (data / "file").write_text("1")
    (data / "link").symlink_to("file")
    shown = box.sandbox.showing(str(data), str(data / "link"), "/usr/bin")
    assert box.tries(f"open({str(data / 'link')!r})", sandbox=shown) == "allowed"
    code = "import json; print(json.dumps(open('/etc/ssl/openssl.cnf').read(1) != ''))"
    assert box.says(code, SSL_CERT_DIR="/usr/lib/ssl/certs", SSL_CERT_FILE="/no/such")
