"""`lazulite doctor` as it is typed."""

import json

import pytest

from lazulite.cli.main import main

GOOD = "name: b\nendpoint_name: e\nmodel: azureml:m:1\n"


@pytest.fixture
def typed(tmp_path, capsys, monkeypatch):
    """typed(words) runs the command; its exit code and what it printed."""
    monkeypatch.setenv("LAZULITE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LAZULITE_PORT", "0")
    monkeypatch.setenv("LAZULITE_HTTP_PORT", "0")
    (tmp_path / "deployment.yml").write_text(GOOD)
    (tmp_path / "bad.yml").write_text(f"{GOOD}nome: x\n")

    def run(*words):
        code = main(["doctor", *words])
        return code, capsys.readouterr().out

    return run


def test_a_machine_that_has_what_is_needed_is_well(typed):
    code, printed = typed()
    assert code == 0
    assert "ok       haproxy" in printed


def test_a_file_is_well_or_fails_the_command_by_its_lines(typed, tmp_path):
    assert typed(str(tmp_path / "deployment.yml"))[0] == 0
    code, printed = typed(str(tmp_path / "bad.yml"))
    assert code == 1
    assert f"missing  {tmp_path}/bad.yml:4:1" in printed


def test_o_json_prints_findings_with_the_same_exit_code(typed, tmp_path):
    code, printed = typed(str(tmp_path / "bad.yml"), "-o", "json")
    assert code == 1
    found = [each for each in json.loads(printed) if each["status"] == "missing"]
    assert [each["is_needed"] for each in found] == [True]
