"""How a launch is brought into a sandbox."""

import pytest

from lazulite.executors.launch import Launch, Mount, Sandbox
from lazulite.executors.wrappers import inside, wrapper_of

LAUNCH = Launch(argv=("python", "-m", "x"), env={"A": "1"}, cwd="/", descriptors=(5,))


def test_without_a_sandbox_the_process_itself_is_executed():
    with inside(Sandbox(), LAUNCH) as launch:
        assert launch == LAUNCH


def test_an_unknown_kind_is_named_with_those_there_are():
    with pytest.raises(ValueError, match=r"'moon' is no kind of sandbox; there are \[.*'none'"):
        wrapper_of(Sandbox(kind="moon"))


def test_a_sandbox_goes_through_json_and_back():
    sandbox = Sandbox(kind="docker", network=False, details={"image": "x"})
    shown = sandbox.showing("/code", None).showing("/out", writable=True)
    assert shown.mounts == (Mount(path="/code"), Mount(path="/out", writable=True))
    assert Sandbox.from_json(shown.to_json()) == shown


def test_no_json_at_all_is_no_sandbox():
    assert Sandbox.from_json(None) == Sandbox.from_json({}) == Sandbox()
