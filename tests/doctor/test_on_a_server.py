"""The doctor beside a running server: what a file refers to is looked up."""

import os

from lazulite.doctor.command import diagnose

FILE = """\
name: blue
endpoint_name: never-made
model: azureml:none:7
environment: azureml:absent@latest
"""


def test_what_is_not_registered_is_told_by_its_line(server, tmp_path):
    path = tmp_path / "deployment.yml"
    path.write_text(FILE)
    found = diagnose(str(path), str(server.data_dir), os.environ)
    wrong = {each["check"]: each["found"] for each in found if each["status"] != "ok"}
    assert list(wrong) == [f"{path}:2:1", f"{path}:3:1", f"{path}:4:1"]
    assert "there is no online endpoint 'never-made'" in wrong[f"{path}:2:1"]
    assert "is not registered" in wrong[f"{path}:3:1"]


def test_a_running_server_answers_and_has_its_ports(server):
    # Its ports are free ones: the settings name others.
    env = {**os.environ, "LAZULITE_PORT": server.state["url"].rpartition(":")[2]}
    found = {each["check"]: each for each in diagnose(None, str(server.data_dir), env)}
    assert found["server"]["found"] == f"answers at {server.state['url']}"
    assert "is this server's" in found["https port"]["found"]
    assert found["certificate"]["status"] == "ok"
