"""`ml environment`: both generations of files, and what can be done to what is there."""

import json

import pytest
from ruamel.yaml import YAML

CONDA = "dependencies:\n- python=3.8\n- pip:\n  - {}\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.8]\n")
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Dockerfile").write_text("FROM scratch\n")
    return tmp_path


@pytest.fixture
def registered(server, lazulite, folder):
    """Registers an environment from the text of a file; what was PUT."""

    def run(text, *options):
        (folder / "env.yml").write_text(f"name: env\nversion: 1\n{text}")
        code, _, err = lazulite(
            "ml", "environment", "create", "-f", str(folder / "env.yml"), *options
        )
        assert code == 0, err
        [put] = server.sent("PUT", "environments/env/versions/1")
        return put.json["properties"]

    return run


@pytest.mark.parametrize(
    "text",
    [
        "image: base:1\nconda_file: ./conda.yml\n",
        "image: base:1\nconda_file: file:conda.yml\n",
        "docker:\n  image: base:1\nconda_file: file:./conda.yml\npath: .\n",
        "image: base:1\nconda_file: |\n  dependencies: [python=3.8]\n",
    ],
)
def test_an_image_and_a_conda_file_are_said_in_many_ways(registered, text):
    properties = registered(text)

    assert properties["image"] == "base:1"
    assert properties["condaFile"].strip() == "dependencies: [python=3.8]"


def test_a_conda_file_may_stand_in_the_file_itself(registered):
    properties = registered("conda_file:\n  dependencies: [python=3.8, {pip: [numpy]}]\n")

    assert YAML(typ="safe").load(properties["condaFile"])["dependencies"][1] == {"pip": ["numpy"]}


@pytest.mark.parametrize(
    "text",
    [
        "build:\n  path: context\n",
        "build: {path: ., dockerfile_path: context/Dockerfile}\n",
        "docker:\n  build:\n    dockerfile: file:context/Dockerfile\n",
        "docker:\n  build:\n    dockerfile: file:context/Dockerfile\npath: .\n",
    ],
)
def test_a_build_context_is_uploaded_with_its_dockerfile(registered, server, text):
    build = registered(text)["build"]

    folder = build["contextUri"].partition("/paths/")[2]
    assert server.blobs[folder + build["dockerfilePath"]] == b"FROM scratch\n"


def test_the_routes_of_a_container_are_sent_in_azures_words(registered):
    text = "image: x\ninference_config:\n  scoring_route: {path: /score, port: 5001}\n"

    assert registered(text)["inferenceConfig"] == {"scoringRoute": {"path": "/score", "port": 5001}}


def test_included_requirements_are_written_into_the_conda_file(registered, folder):
    (folder / "more.txt").write_text('# ours\nnumpy>=1.21  # fast\nx; python_version < "3.9"\n')
    (folder / "requirements.txt").write_text("pandas \\\n  ==1.3\n\n-r more.txt\n")
    (folder / "conda.yml").write_text(CONDA.format("-r requirements.txt\n  - scipy"))

    sent = registered("conda_file: conda.yml\n")["condaFile"]

    lines = ["pandas ==1.3", "numpy>=1.21", 'x; python_version < "3.9"']
    assert sent == CONDA.format("\n  - ".join([*map(json.dumps, lines), "scipy"]))


def test_requirements_are_included_into_a_mapping_too(registered, folder):
    (folder / "requirements.txt").write_text("pandas\n")

    sent = registered("conda_file: {dependencies: [{pip: [-r requirements.txt, scipy]}]}\n")

    assert YAML(typ="safe").load(sent["condaFile"]) == {
        "dependencies": [{"pip": ["pandas", "scipy"]}]
    }
    assert sent["condaFile"].count("\n") == 4  # a requirement a line


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("conda_file: missing.yml\n", "env.yml:3:1: conda_file: there is no file"),
        ("conda_file: included.yml\n", "no file"),
        ("conda_file: loop.yml\n", "loop.txt includes itself"),
        ("build: {path: .}\n", "there is no Dockerfile in"),
        ("docker: {build: {dockerfile: FROM x}}\n", "write file: and the path of a Dockerfile"),
        ("path: context\ndocker: {build: {dockerfile: 'file:conda.yml'}}\n", "is not in the con"),
        ("inference_config: {scoring_route: {prot: 1}}\n", "did you mean 'port'?"),
        ("description: nothing\n", "needs an image, a conda_file or a build context"),
    ],
)  # fmt: skip
def test_faults_of_a_file_are_named_before_anything_is_sent(server, lazulite, folder, text, reason):
    (folder / "included.yml").write_text(CONDA.format("-r nowhere.txt"))
    (folder / "loop.yml").write_text(CONDA.format("-r loop.txt"))
    (folder / "loop.txt").write_text("-r loop.txt\n")
    (folder / "env.yml").write_text(f"name: env\nversion: 1\n{text}")

    code, _, err = lazulite("ml", "environment", "create", "-f", str(folder / "env.yml"))

    assert (code, server.sent("PUT", "environments/env/versions/1")) == (1, [])
    assert reason in err


def test_options_say_the_same_as_a_file(server, lazulite, folder):
    options = ["--build-context", str(folder / "context"), "--description", "ours"]
    code, _, err = lazulite("ml", "environment", "create", "-n", "env", "-v", "1", *options)

    assert code == 0, err
    [put] = server.sent("PUT", "environments/env/versions/1")
    assert put.json["properties"]["build"]["dockerfilePath"] == "Dockerfile"


@pytest.mark.parametrize(
    "reference",
    [
        "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu:9",
        "azureml:AzureML-Minimal@latest",
        "azureml://registries/azureml/environments/sklearn-1.5/versions/20",
    ],
)
def test_curated_environments_are_left_to_the_server(server, lazulite, folder, reference):
    (folder / "job.yml").write_text(
        f"command: echo\nenvironment: {reference}\ncompute: azureml:cpu\n"
    )
    server.keep("computes/cpu", {"properties": {}})

    code, _, err = lazulite("ml", "job", "create", "-n", "j", "-f", str(folder / "job.yml"))

    assert code == 0, err
    [put] = server.sent("PUT", "jobs/j")
    assert put.json["properties"]["environmentId"] == reference


@pytest.mark.parametrize(
    ("options", "path"),
    [
        (["-v", "2"], "environments/env/versions/2"),
        (["--label", "latest"], "environments/env/versions/2"),
        ([], "environments/env"),
    ],
)
def test_an_environment_is_archived_and_restored(server, lazulite, options, path):
    server.keep("environments/env", {"properties": {"latestVersion": "2", "tags": {"a": "b"}}})
    server.keep("environments/env/versions/2", {"properties": {"image": "x", "tags": {"a": "b"}}})

    for command in ("archive", "restore"):
        code, _, err = lazulite("ml", "environment", command, "-n", "env", *options)
        assert code == 0, err

    archived, restored = (put.json["properties"] for put in server.sent("PUT", path))
    assert (archived["isArchived"], restored["isArchived"]) == (True, False)
    assert archived["tags"] == {"a": "b"}


def test_tags_and_description_of_a_version_change_and_the_rest_does_not(server, lazulite):
    server.keep("environments/env/versions/2", {"properties": {"image": "x", "tags": {"a": "b"}}})
    change = ["ml", "environment", "update", "-n", "env", "-v", "2", "--set"]

    code, out, err = lazulite(*change, "tags.c=d", "description=new")
    refused, _, reason = lazulite(*change, "image=y")

    assert code == 0, err
    [put] = server.sent("PUT", "environments/env/versions/2")
    assert put.json["properties"] == {
        "image": "x", "tags": {"a": "b", "c": "d"}, "description": "new", "properties": {}
    }  # fmt: skip
    assert json.loads(out)["tags"] == {"a": "b", "c": "d"}
    assert (refused, "Create a new version" in reason) == (1, True)


def test_a_list_can_have_archived_ones(server, lazulite):
    server.keep("environments/env", {"properties": {}})
    for options, view in [((), None), (("--archived-only",), "ArchivedOnly"),
                          (("--include-archived",), "All")]:  # fmt: skip
        server.requests.clear()
        lazulite("ml", "environment", "list", *options)
        [asked] = server.sent("GET", "environments")
        assert asked.query.get("listViewType") == view
