"""`ml dataset` of 2021-10."""

import json

import pytest

URI = "azureml://datastores/workspaceblobstore/paths/"


def test_paths_are_registered_and_local_ones_uploaded(server, lazulite, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_text("7")
    text = f"name: d\npaths:\n- file: {URI}a.csv\n- folder: ./images\n"
    (tmp_path / "d.yml").write_text(text)
    code, out, err = lazulite("ml", "dataset", "create", "-f", str(tmp_path / "d.yml"))
    assert code == 0, err
    [put] = server.sent("PUT", "datasets/d/versions/1")
    first, second = put.json["properties"]["paths"]
    assert first == {"file": f"{URI}a.csv"}
    assert server.blobs[second["folder"].partition("/paths/")[2] + "a.png"] == b"7"
    assert json.loads(out)["version"] == "1"


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ("", "give local_path, or paths"),
        ("paths: []\n", "d.yml:2:1: paths: give local_path"),
        ("paths:\n- x\n", "d.yml:3:3: paths[0]: a path is either"),
        ("paths:\n- fil: x\n", "paths[0].fil: there is no such field"),
        ("paths:\n- file: none.csv\n", "d.yml:3:3: paths[0].file: there is no file or folder"),
    ],
)
def test_a_fault_is_told_with_its_place(server, lazulite, tmp_path, paths, said):
    (tmp_path / "d.yml").write_text(f"name: d\n{paths}")
    code, _, err = lazulite("ml", "dataset", "create", "-f", str(tmp_path / "d.yml"))
    assert (code, said in err) == (1, True), err
    assert server.sent("PUT", "datasets/d/versions/1") == []


def test_a_version_does_not_change(server, lazulite, tmp_path):
    refusal = {"error": {"code": "ImmutablePropertyChanged", "message": "no"}}
    server.answer("PUT", "datasets/d/versions/1", 409, refusal)
    (tmp_path / "d.yml").write_text(f"name: d\nversion: 1\npaths:\n- file: {URI}a.csv\n")
    code, _, err = lazulite("ml", "dataset", "create", "-f", str(tmp_path / "d.yml"))
    assert (code, "d.yml:2:1: version: version 1 of dataset 'd'" in err) == (1, True), err
