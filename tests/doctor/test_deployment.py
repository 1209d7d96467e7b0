"""What the doctor says of a deployment's file."""

import dataclasses

import pytest

from lazulite.core.settings import Settings
from lazulite.doctor import definitions
from lazulite.doctor.deployment import Preflight
from lazulite.doctor.finding import Status
from lazulite.doctor.pins import UnresolvedError
from lazulite.environments.diagnosis import Diagnosis
from tests.engine_answers import answering

SCRIPT = "def init():\n    pass\n\ndef run(data):\n    return data\n"
CONDA = "dependencies:\n  - python\n  - pip:\n    - numpy==1.0\n    - pandas==2.0\n"
ONLINE = """\
$schema: https://example.org/managedOnlineDeployment.schema.json
name: blue
endpoint_name: e
model:
  path: model.pkl
code_configuration:
  code: src
  scoring_script: score.py
environment:
  conda_file: conda.yml
instance_count: 1
"""
BATCH = """\
name: one
endpoint_name: b
model: azureml:m:1
compute: azureml:cpu
code_configuration: {code: src, scoring_script: score.py}
environment: azureml:env@latest
mini_batch_size: 5
"""


@dataclasses.dataclass
class Case:
    """A folder as a user has it, and what is found in it."""

    folder: object
    answers: list

    def write(self, name, text):
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(text)

    def findings(self, text, workspace=None):
        """All that is not well, as (place, what)."""
        self.write("deployment.yml", text)
        path = self.folder / "deployment.yml"
        found = Preflight(path, Settings(), {}, workspace).findings()
        return [
            (each.check.removeprefix(f"{self.folder}/"), each.found)
            for each in found
            if each.status is not Status.OK
        ]


@pytest.fixture
def case(tmp_path, monkeypatch):
    """A complete folder; the index answers what `answers` holds, in turn, else that all is well."""
    found = Case(tmp_path, [])

    def resolve(plan, env):
        answer = found.answers.pop(0) if found.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(definitions, "resolve", resolve)
    found.write("src/score.py", SCRIPT)
    found.write("conda.yml", CONDA)
    found.write("model.pkl", "m")
    return found


def test_a_good_file_of_each_sort_is_well(case):
    assert case.findings(ONLINE) == []
    assert case.findings(BATCH) == []
    older = BATCH.replace("compute: azureml:cpu", "compute: {target: azureml:cpu}")
    assert case.findings(older) == []


def test_a_file_of_the_first_generation_is_read(case):
    text = ONLINE.replace("  code: src\n", "  code: {local_path: ./src}\n")
    text = text.replace("  path: model.pkl", "  name: m\n  local_path: ./model.pkl")
    text = text.replace("conda.yml", "file:./conda.yml\n  docker: {image: x}")
    assert case.findings(text) == []
    case.answers.append(Diagnosis("X", "they do not fit", ("numpy==1.0",)))
    assert case.findings(text)[0][0] == "conda.yml:4:7"
    built = text.replace("conda_file: file:./conda.yml", "version: 1").replace(
        "{image: x}", "{build: {dockerfile: file:Dockerfile}}"
    )
    assert case.findings(built) == []


def test_every_wrong_field_is_told_with_its_place(case):
    text = ONLINE.replace("instance_count: 1", "instance_counts: 1\nmodel_mount_path: [1]\n")
    (first, second) = case.findings(text)
    assert first[0] == "deployment.yml:11:1"
    assert "did you mean 'instance_count'?" in first[1]
    assert second[0] == "deployment.yml:12:1"


def test_a_file_that_is_no_yaml_is_told_with_its_place(case):
    ((place, text),) = case.findings("name: [1\nx: 2\n")
    assert place.startswith("deployment.yml:2:")
    assert "not YAML" in text


@pytest.mark.parametrize(
    ("script", "place", "said"),
    [
        ("def init(:\n", "src/score.py:1:10", "syntax error"),
        ("def run(data): pass\n", "src/score.py:1:1", "it has no init()"),
        ("def init(): pass\n", "src/score.py:1:1", "it has no run()"),
        ("\0", "src/score.py:1:1", ""),
    ],
)
def test_a_script_that_cannot_work_is_told_by_line(case, script, place, said):
    case.write("src/score.py", script)
    ((where, text),) = case.findings(ONLINE)
    assert where == place
    assert said in text


@pytest.mark.parametrize(
    "script",
    [
        "from other import *\n",
        "from other import init, go as run\n",
        "init = run = print\n",
        "try:\n    import x\nexcept ImportError:\n    def init(): pass\nasync def run(d): pass\n",
        "if True:\n    def init(): pass\nelse:\n    pass\nclass run: pass\n",
    ],
)
def test_a_script_that_gets_them_otherwise_is_well(case, script):
    case.write("src/score.py", script)
    assert case.findings(ONLINE) == []


def test_missing_files_are_told_where_they_are_named(case):
    text = ONLINE.replace("model.pkl", "gone.pkl").replace("conda.yml", "gone.yml")
    text = text.replace("score.py", "scores.py")
    found = dict(case.findings(text))
    assert list(found) == ["deployment.yml:8:3", "deployment.yml:5:3", "deployment.yml:10:3"]
    assert "there is no scores.py" in found["deployment.yml:8:3"]
    assert case.findings(ONLINE.replace("code: src", "code: nowhere"))[0][0] == "deployment.yml:7:3"


def test_what_is_left_out_is_told(case):
    text = "description: x\ncode_configuration: {scoring_script: score.py}\n"
    found = [said for _, said in case.findings(text)]
    assert found == [
        "the field `name` is missing",
        "the field `endpoint_name` is missing",
        "code_configuration lacks `code`, the folder of the script",
        "the field `environment` is missing",
    ]
    assert "needs a `compute`" in case.findings(BATCH.replace("compute: azureml:cpu\n", ""))[0][1]


def test_pins_that_exclude_each_other_are_told_by_their_lines(case):
    case.answers.append(Diagnosis("X", "they do not fit", ("numpy==1.0", "pandas==2.0")))
    ((place, text),) = case.findings(ONLINE)
    assert place == "conda.yml:4:7"
    assert "conda.yml line 4, column 7: 'numpy==1.0'; " in text
    assert text.endswith("they do not fit")


def test_an_index_that_does_not_answer_is_a_warning(case):
    case.answers.append(UnresolvedError("the index does not answer"))
    ((place, text),) = case.findings(ONLINE)
    assert place == "environment"
    assert "the index does not answer" in text


def test_a_conda_file_in_place_and_a_wrong_one_are_read(case):
    inline = ONLINE.replace("conda_file: conda.yml", "conda_file: {dependencies: [python]}")
    assert case.findings(inline) == []
    case.write("conda.yml", "dependencies:\n  - numpy=[\n")
    ((place, _),) = case.findings(ONLINE)
    assert place.startswith("conda.yml:2:")


def test_a_python_that_is_not_here_is_told(case):
    case.write("conda.yml", "dependencies:\n  - python=3.99\n")
    ((_, text),) = case.findings(ONLINE)
    assert "is not on this machine" in text


def test_only_venvs_are_looked_into(case):
    with answering(case.folder / "engine.sock") as engine:
        engine["GET", "/images/here/json"] = (200, {"Id": "sha256:1"})
        env = {"DOCKER_HOST": f"unix://{engine.socket}"}
        case.write("conda.yml", "dependencies:\n  - python=3.99\n")
        boxed = ONLINE.replace("  conda_file", "  image: here\n  conda_file")
        case.write("deployment.yml", boxed)
        path = case.folder / "deployment.yml"
        (said,) = [
            each.found
            for each in Preflight(path, Settings(), env, None).findings()
            if each.check == "environment"
        ]
        assert said.startswith("docker, which is not looked into, makes it: the image here")
        case.write("deployment.yml", boxed.replace("image: here", "image: far"))
        found = [each.found for each in Preflight(path, Settings(), env, None).findings()]
        assert any("is not on this machine" in each for each in found)


def test_a_provider_that_cannot_be_had_is_told(case):
    tagged = ONLINE.replace("  conda_file", "  tags: {lazulite.provider: docker}\n  conda_file")
    case.write("deployment.yml", tagged)
    env = {"DOCKER_HOST": f"unix://{case.folder}/nobody.sock"}
    found = Preflight(case.folder / "deployment.yml", Settings(), env, None).findings()
    (fault,) = [each for each in found if each.is_needed]
    assert "no container engine answers" in fault.found


def test_more_processes_than_cores_are_a_warning(case):
    ((place, text),) = case.findings(ONLINE.replace("instance_count: 1", "instance_count: 999"))
    assert place == "deployment.yml:11:1"
    assert text.startswith("999 processes on a machine with")
