"""`ml endpoint` of 2021-05, against a server that records what is sent."""

import json

import pytest

ONLINE = "onlineEndpoints/e1"
BLUE = f"{ONLINE}/deployments/blue"
FILE = """\
name: e1
auth_mode: key
traffic: {blue: 100}
deployments:
- name: blue
  model: azureml:m:1
  scale_settings: {scale_type: manual, instance_count: 2}
"""


@pytest.fixture
def ready(server):
    """Two versions of a model, a cluster, and no deployments."""
    for name in ("models/m/versions/1", "models/m/versions/2", "computes/cluster"):
        server.keep(name, {"properties": {}})
    return server


@pytest.fixture
def file(tmp_path):
    """Writes the endpoint's file; its path."""

    def write(text=FILE, name="e.yml"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


@pytest.fixture
def deployed(ready, lazulite, file):
    """The endpoint of the file, with what led to it forgotten."""
    code, _, err = lazulite("ml", "endpoint", "create", "-f", file())
    assert code == 0, err
    ready.requests.clear()
    return ready


def changed(server):
    """What was changed: methods and the last part of paths."""
    return [
        (each.method, each.path.rpartition("/")[2])
        for each in server.requests
        if each.method in {"PUT", "DELETE"}
    ]


def test_an_endpoint_is_put_before_its_deployments(ready, lazulite, file):
    code, out, err = lazulite("ml", "endpoint", "create", "-f", file())
    assert code == 0, err
    assert changed(ready) == [("PUT", "e1"), ("PUT", "blue")]
    assert ready.sent("PUT", ONLINE)[0].json["properties"] == {
        "authMode": "Key",
        "traffic": {"blue": 100},
    }
    assert ready.sent("PUT", BLUE)[0].json["sku"] == {"name": "Default", "capacity": 2}
    (blue,) = json.loads(out)["deployments"]
    assert blue["scale_settings"] == {"scale_type": "manual", "instance_count": 2}


def test_deployments_may_be_a_mapping_of_names(ready, lazulite, file):
    text = (
        "name: b1\ntype: batch\ntraffic: {d1: 100}\ndeployments:\n  d1:\n    model: azureml:m:1\n"
    )
    path = file(f"{text}    compute: {{target: azureml:cluster, instance_count: 3}}\n")
    code, out, err = lazulite("ml", "endpoint", "create", "-f", path)
    assert code == 0, err
    endpoint = ready.sent("PUT", "batchEndpoints/b1")[0].json["properties"]
    assert endpoint["defaults"] == {"deploymentName": "d1"}
    sent = ready.sent("PUT", "batchEndpoints/b1/deployments/d1")[0].json["properties"]
    assert sent["resources"] == {"instanceCount": 3}
    assert json.loads(out)["traffic"] == {"d1": 100}


def test_a_new_endpoint_goes_again_if_a_deployment_is_refused(ready, lazulite, file):
    refusal = {"error": {"code": "ValidationError", "message": "no"}}
    ready.answer("PUT", BLUE, 400, refusal)
    code, _, err = lazulite("ml", "endpoint", "create", "-f", file())
    assert (code, "(ValidationError) no" in err) == (1, True)
    assert changed(ready) == [("PUT", "e1"), ("PUT", "blue"), ("DELETE", "e1")]


def test_nothing_is_sent_if_the_file_has_a_fault(ready, lazulite, file):
    path = file(FILE.replace("scale_type: manual", "scale_type: auto"))
    code, _, err = lazulite("ml", "endpoint", "create", "-f", path)
    assert code == 1
    assert (
        "e.yml:7:20: deployments[0].scale_settings.scale_type: 'auto' is not one of manual" in err
    )
    assert changed(ready) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("  model:", "  modle:", "e.yml:6:3: deployments[0].modle: there is no such field"),
        ("{blue: 100}", "{blue: 90}", "e.yml:3:1: traffic: the shares add up to 90"),
        ("{blue: 100}", "{red: 100}", "e.yml:3:11: traffic.red: there is no such deployment"),
        ("{blue: 100}", "{blue: 101}", "e.yml:3:11: traffic.blue: 101 is not 0 to 100 percent"),
        ("- name: blue\n  model", "- model", "e.yml:5:3: deployments[0]: a deployment needs"),
        ("name: e1\n", "", "an endpoint needs a name"),
        ("auth_mode", "type: onlin\nauth_mode", "did you mean 'online'"),
        ("auth_mode", "type: batch\nauth_mode", "the file says batch, and --type says online"),
    ],
)
def test_a_fault_is_told_with_its_place(ready, lazulite, file, before, after, said):
    path = file(FILE.replace(before, after))
    code, _, err = lazulite("ml", "endpoint", "create", "--type", "online", "-f", path)
    assert (code, said in err) == (1, True), err
    assert changed(ready) == []


def test_two_deployments_of_one_name_are_refused(ready, lazulite, file):
    twice = FILE + FILE.partition("deployments:\n")[2].replace("blue", "BLUE")
    code, _, err = lazulite("ml", "endpoint", "create", "-f", file(twice))
    assert (code, "two deployments have the name 'blue'" in err) == (1, True)


def test_what_a_file_leaves_out_goes_last(deployed, lazulite, file):
    green = FILE.replace("blue", "green")
    code, out, err = lazulite("ml", "endpoint", "update", "-f", file(green))
    assert code == 0, err
    assert changed(deployed) == [("PUT", "green"), ("PUT", "e1"), ("DELETE", "blue")]
    assert json.loads(out)["traffic"] == {"green": 100}


def test_a_file_without_deployments_leaves_them_alone(deployed, lazulite, file):
    path = file("name: e1\ndescription: mine\n")
    code, out, err = lazulite("ml", "endpoint", "update", "-f", path)
    assert code == 0, err
    assert changed(deployed) == [("PUT", "e1")]
    assert json.loads(out)["traffic"] == {"blue": 100}


def test_the_last_deployment_with_traffic_does_not_go(deployed, lazulite, file):
    path = file("name: e1\ndeployments: []\n")
    code, _, err = lazulite("ml", "endpoint", "update", "-f", path)
    assert (code, "traffic.blue: there is no such deployment" in err) == (1, True)
    assert changed(deployed) == []


def test_two_changes_at_once_change_nothing(deployed, lazulite, file):
    path = file(FILE.replace("m:1", "m:2").replace("instance_count: 2", "instance_count: 3"))
    code, _, err = lazulite("ml", "endpoint", "update", "-f", path)
    assert code == 1
    assert "(SeveralChanges)" in err
    assert "changes the scale settings of blue, the model of blue" in err
    assert changed(deployed) == []


def test_what_a_refused_file_defines_in_place_is_not_registered(deployed, lazulite, file, tmp_path):
    (tmp_path / "weights").write_text("3")
    text = FILE.replace("azureml:m:1", "{name: m, version: 3, local_path: weights}")
    path = file(text.replace("instance_count: 2", "instance_count: 3"))
    code, _, err = lazulite("ml", "endpoint", "update", "-f", path)
    assert (code, "(SeveralChanges)" in err) == (1, True)
    assert changed(deployed) == []
    assert deployed.blobs == {}
    assert lazulite("ml", "endpoint", "update", "-f", file(text))[0] == 0
    assert changed(deployed)[-2:] == [("PUT", "3"), ("PUT", "blue")]


def test_one_change_is_made(deployed, lazulite, file):
    code, _, err = lazulite("ml", "endpoint", "update", "-f", file(FILE.replace("m:1", "m:2")))
    assert code == 0, err
    assert changed(deployed) == [("PUT", "blue")]
    assert deployed.sent("PUT", BLUE)[0].json["properties"]["model"].endswith("/versions/2")


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (["--set", "deployments[0].scale_settings.instance_count=5"], ["blue"]),
        (["--deployment", "blue", "--instance-count", "5"], ["blue"]),
        (["--traffic", "blue:0"], ["e1"]),
        (["--set", "description=mine"], ["e1"]),
    ],
)
def test_options_change_only_what_they_say(deployed, lazulite, options, sent):
    code, _, err = lazulite("ml", "endpoint", "update", "-n", "e1", *options)
    assert code == 0, err
    assert changed(deployed) == [("PUT", name) for name in sent]


def test_an_update_keeps_what_only_later_versions_say(deployed, lazulite):
    properties = {"authMode": "Key", "traffic": {"blue": 100}, "mirrorTraffic": {"blue": 10}}
    deployed.keep(ONLINE, {"properties": properties, "location": "here", "tags": {}})
    code, _, err = lazulite("ml", "endpoint", "update", "-n", "e1", "--set", "description=mine")
    assert code == 0, err
    [put] = deployed.sent("PUT", ONLINE)
    assert put.json["properties"]["mirrorTraffic"] == {"blue": 10}
    assert put.query["api-version"] == "2023-10-01"


def test_a_deployment_of_its_own_file_comes_beside_the_others(deployed, lazulite, file):
    text = "model: azureml:m:2\n"
    line = ["ml", "endpoint", "update", "-n", "e1", "--deployment-file", file(text, "green.yml")]
    code, _, err = lazulite(*line)
    assert (code, "Give --deployment or the field `name`" in err) == (1, True)
    code, out, err = lazulite(*line, "--deployment", "green", "--traffic", "blue:100,green:0")
    assert code == 0, err
    assert changed(deployed) == [("PUT", "green"), ("PUT", "e1")]
    assert [each["name"] for each in json.loads(out)["deployments"]] == ["blue", "green"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Say what to change"),
        (["--instance-count", "2"], "needs --deployment with one of: blue"),
        (["--file", "a.yml", "--deployment-file", "b.yml"], "not both"),
        (["--traffic", "red:100"], "traffic.red: there is no such deployment; there will be: blue"),
        (["--type", "batch", "--traffic", "blue:100"], "Give --type online"),
    ],
)
def test_an_update_that_cannot_be_is_explained(deployed, lazulite, options, said):
    code, _, err = lazulite("ml", "endpoint", "update", "-n", "e1", *options)
    assert (code != 0, said in err) == (True, True), err
    assert changed(deployed) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--mini-batch-size", "2", "--request-file", "r"],
            "--mini-batch-size is for --type batch",
        ),
        ([], "--request-file is needed"),
        (["--type", "batch", "--request-file", "r"], "is for online endpoints"),
    ],
)
def test_options_of_the_other_type_are_refused(deployed, lazulite, options, said):
    code, _, err = lazulite("ml", "endpoint", "invoke", "-n", "e1", *options)
    assert (code, said in err) == (1, True), err


def test_one_deployment_is_shown_and_deleted(deployed, lazulite):
    show = ["ml", "endpoint", "show", "-n", "e1", "--deployment"]
    assert json.loads(lazulite(*show, "BLUE")[1])["name"] == "blue"
    code, _, err = lazulite(*show, "red")
    assert (code, "it has: blue" in err) == (3, True)
    code, _, err = lazulite("ml", "endpoint", "delete", "-n", "e1", "--deployment", "blue", "--yes")
    assert code == 0, err
    assert changed(deployed) == [("DELETE", "blue")]


def test_a_list_has_both_types_or_one(deployed, lazulite):
    deployed.keep("batchEndpoints/b1", {"properties": {"authMode": "AADToken"}})
    names = ["--query", "[].[name, type]", "-o", "tsv"]
    assert lazulite("ml", "endpoint", "list", *names)[1] == "e1\tonline\nb1\tbatch\n"
    assert lazulite("ml", "endpoint", "list", "--type", "batch", *names)[1] == "b1\tbatch\n"


def test_a_cluster_as_target_is_the_servers_to_refuse(ready, lazulite, file):
    text = "name: e1\ntarget: azureml:aks\ninfrastructure: managed\n"
    ready.answer("GET", f"{ONLINE}/deployments", 200, {"value": []})
    lazulite("ml", "endpoint", "create", "-f", file(text))
    assert ready.sent("PUT", ONLINE)[0].json["properties"]["compute"] == "azureml:aks"
