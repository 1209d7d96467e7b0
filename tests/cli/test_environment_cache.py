"""`environment`: a build is followed line by line; what is built is listed and pruned."""

import json

import pytest

PLACE = "/subscriptions/s1/providers/Microsoft.MachineLearningServices/locations/local"
ONE = "environments/env/versions/2"
HASH = "a" * 32


@pytest.fixture
def environment(server):
    """An environment whose log has a line of an earlier build."""
    server.keep("environments/env", {"properties": {"latestVersion": "2"}})
    server.keep(ONE, {"properties": {"image": "x"}})
    said(server, "Building", "old\n", 0)
    said(server, "NotBuilt", "", 4)
    server.answer("POST", f"{ONE}/build", 200, {"status": "Building", "environment": HASH})


def said(server, status, content, offset, error=None):
    body = {
        "status": status,
        "environment": HASH,
        "content": content,
        "nextOffset": offset + len(content),
        "error": error,
    }
    server.answer("GET", f"{ONE}/buildLog", 200, body)


def test_the_log_of_a_build_is_printed_while_it_grows(server, lazulite, environment):
    said(server, "Building", "first\n", 4)
    said(server, "Building", "", 10)
    said(server, "Ready", "second\n", 10)
    said(server, "Ready", "", 17)

    code, out, err = lazulite("environment", "build", "-n", "env")

    assert (code, err) == (0, "first\nsecond\n")
    assert json.loads(out) == {
        "name": "env", "version": "2", "environment": HASH, "status": "Ready"
    }  # fmt: skip
    offsets = [each.query["offset"] for each in server.sent("GET", f"{ONE}/buildLog")]
    assert offsets == ["0", "4", "4", "10", "10", "17"]


def test_a_build_that_fails_ends_the_command_with_its_reason(server, lazulite, environment):
    said(server, "Failed", "bad\n", 4)
    said(server, "Failed", "", 8, {"code": "UnsolvableRequirements", "message": "no numpy==99"})

    code, out, err = lazulite("environment", "build", "-n", "env", "-v", "2")

    assert (code, out) == (1, "")
    assert err == "bad\nERROR: (UnsolvableRequirements) no numpy==99\n"


def test_a_build_that_was_killed_is_started_again(server, lazulite, environment):
    said(server, "NotBuilt", "", 4)
    said(server, "Ready", "", 4)

    assert lazulite("environment", "build", "-n", "env")[0] == 0

    assert [each.json["retry"] for each in server.sent("POST", f"{ONE}/build")] == [True, False]


def test_the_log_of_a_python_that_is_downloaded_is_followed_by_that_of_the_build(
    server, lazulite, environment
):
    download = {"status": "Building", "environment": "d" * 32, "nextOffset": 40, "error": None}
    server.answer("GET", f"{ONE}/buildLog", 200, {**download, "content": "downloading\n"})
    said(server, "Building", "", 40)
    said(server, "Building", "first\n", 0)
    said(server, "Ready", "", 6)

    code, _, err = lazulite("environment", "build", "-n", "env")

    assert (code, err.splitlines()[-1]) == (0, "first")


def test_nobody_has_to_wait(server, lazulite, environment):
    code, out, _ = lazulite("environment", "build", "-n", "env", "--no-wait")

    assert (code, json.loads(out)["status"]) == (0, "Building")


def test_a_file_is_registered_first(server, lazulite, environment, tmp_path):
    (tmp_path / "env.yml").write_text("name: env\nversion: 2\nimage: x\n")

    code, _, err = lazulite(
        "environment", "build", "-f", str(tmp_path / "env.yml"), "--no-wait"
    )  # fmt: skip

    assert code == 0, err
    assert len(server.sent("PUT", ONE)) == 1


def test_a_build_needs_a_name_or_a_file(server, lazulite):
    code, _, err = lazulite("environment", "build")

    assert (code, "--name, or a --file" in err) == (1, True)


ENTRY = {
    "name": HASH,
    "status": "Ready",
    "size": 3 << 20,
    "lastUsed": "2026-01-01T00:00:00Z",
    "usedBy": [],
    "python": "3.8.1",
    "packages": ["a==1", "b==2"],
}


def test_what_is_built_is_listed(server, lazulite):
    server.answer("GET", f"{PLACE}/environmentCache", 200, {"value": [ENTRY]})

    code, out, err = lazulite("environment", "list", "-o", "table")

    assert code == 0, err
    assert out.splitlines()[2].split() == [
        HASH, "Ready", "3.8.1", "2", "3.0", "2026-01-01T00:00:00Z"
    ]  # fmt: skip


def test_one_is_shown_with_its_log(server, lazulite):
    shown = {**ENTRY, "log": "built\n"}
    server.answer("GET", f"{PLACE}/environmentCache/{HASH[:6]}", 200, shown)

    code, out, _ = lazulite("environment", "show", "-n", HASH[:6], "--query", "[log, packages]")

    assert (code, json.loads(out)) == (0, ["built\n", ["a==1", "b==2"]])


def test_the_unused_are_pruned_within_limits(server, lazulite):
    server.answer("POST", f"{PLACE}/pruneEnvironments", 200, {"value": [ENTRY], "freed": 1 << 30})

    options = ["--older-than", "30", "--max-size", "1.5", "--dry-run", "--yes"]
    code, out, _ = lazulite("environment", "prune", *options)

    [asked] = server.sent("POST", f"{PLACE}/pruneEnvironments")
    assert asked.json == {"maxAgeDays": 30, "maxGib": 1.5, "dryRun": True}
    assert (code, json.loads(out)["freed_gib"]) == (0, 1.0)


def test_ctrl_c_leaves_the_build_and_says_how_to_watch_it(
    server, lazulite, environment, monkeypatch
):
    def interrupt(seconds):
        raise KeyboardInterrupt

    said(server, "Building", "", 4)
    monkeypatch.setattr("lazulite.cli.workspace.time.sleep", interrupt)

    code, out, err = lazulite("environment", "build", "-n", "env")

    assert (code, out) == (130, "")
    assert "The build goes on at the server" in err
    assert "`lazulite environment build -n env -v 2`" in err
