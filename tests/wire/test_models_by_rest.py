"""The calls on models of the article on REST, over HTTP: discovery, list, delete.

What they are is in seeds/003; the headers are as curl sends them there.
"""

import pytest

VERSION = {"api-version": "2019-11-01"}


class Regional:
    """The regional host that a workspace's discoveryUrl leads to."""

    def __init__(self, live):
        self.live = live
        shown = live.call("GET", "", api="2019-11-01").json()["properties"]
        self.services = live.http.get(shown["discoveryUrl"]).json()

    def call(self, method, service, path, **given):
        url = f"{self.services['api']}/{service}{self.live.workspace}/{path}"
        sent = {"Authorization": f"Bearer {self.live.token()}", **given.pop("headers", {})}
        return self.live.http.request(method, url, params=VERSION, headers=sent, **given)


@pytest.fixture
def regional(server):
    return Regional(server)


def test_every_service_is_on_the_origin_that_was_asked(regional):
    assert set(regional.services.values()) == {regional.live.base}


def test_registered_models_are_listed_and_deleted(regional):
    body = {"name": "by-rest", "url": "azureml:x:1", "mimeType": "application/json"}
    made = regional.call("POST", "modelmanagement/v1.0", "models", json=body)
    assert made.status_code == 200, made.text
    model = made.json()
    listed = regional.call("GET", "modelmanagement/v1.0", "models").json()["value"]
    assert model in listed
    item = f"models/{model['id']}"
    codes = [regional.call("DELETE", "modelmanagement/v1.0", item).status_code for _ in range(2)]
    assert codes == [200, 204]
    assert regional.call("GET", "modelmanagement/v1.0", item).status_code == 404


def test_a_file_goes_through_the_front_door_and_becomes_a_model(regional):
    content = bytes(range(256)) * 4096  # 1 MiB
    where = "artifacts/LocalUpload/wire/content"
    sent = regional.live.http.post(
        f"{regional.services['api']}/artifact/v2.0{regional.live.workspace}/{where}",
        params={"path": "m/model.bin", "allowOverwrite": "true"},
        content=content,
        headers={"Authorization": f"Bearer {regional.live.token()}"},
    )
    assert sent.status_code == 200, sent.text
    asset = {"name": "wire", "artifacts": [{"prefix": "LocalUpload/wire/m"}]}
    made = regional.call("POST", "modelmanagement/v1.0", "assets", json=asset).json()
    body = {"name": "wire", "url": f"aml://asset/{made['id']}", "mimeType": "application/json"}
    assert regional.call("POST", "modelmanagement/v1.0", "models", json=body).is_success
    infos = regional.live.http.get(
        f"{regional.services['api']}/artifact/v2.0{regional.live.workspace}"
        "/artifacts/prefix/contentinfo/LocalUpload/wire/m",
        headers={"Authorization": f"Bearer {regional.live.token()}"},
    ).json()["value"]
    assert [regional.live.http.get(info["contentUri"]).content for info in infos] == [content]


def test_the_default_datastore_opens_for_an_owner(regional):
    shown = regional.call("GET", "datastore/v1.0", "default").json()
    assert shown["azureStorageSection"]["accountKey"]


def test_a_compute_is_read_as_azureml_core_does(regional):
    regional.live.cluster("by-rest")
    shown = regional.call("GET", "rp/workspaces", "computes/by-rest").json()
    assert shown["properties"]["computeType"] == "AmlCompute"


def test_jobs_of_a_batch_endpoint_are_listed_at_the_management_front_end(regional):
    regional.live.put("/batchEndpoints/mfe", {})
    token = regional.live.token("https://ml.azure.com")
    answer = regional.call(
        "GET",
        "mferp/managementfrontend",
        "batchEndpoints/mfe/jobs",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["value"]) == (200, [])
