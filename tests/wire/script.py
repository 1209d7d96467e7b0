"""What a shell script does with curl and jq: raw bodies out, single values in."""

import base64
import json

from tests.live import wait_for

CONDA = "name: plain\ndependencies:\n  - python\n"
WEIGHTS = {"w": [1.0, 2.0]}
TERMINAL = {"Succeeded", "Failed", "Canceled", "Completed"}


class Script:
    """One run of a script against a server, in one api-version."""

    def __init__(self, server, api):
        self.server, self.api = server, api
        self.location = server.call("GET", "").json()["location"]

    @property
    def is_old(self):
        """Whether the bodies are those of 2021-03-01-preview."""
        return self.api == "2021-03-01-preview"

    def curl(self, method, path, body="", api=None, **query):
        """An authorised call below the workspace with a raw body."""
        headers = {"content-type": "application/json", "content-length": str(len(body.encode()))}
        return self.server.call(method, path, body, api=api or self.api, headers=headers, **query)

    def made(self, path, body):
        """PUT of something that is not there yet; its id."""
        answer = self.curl("PUT", path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def wait_for_completion(self, answer):
        """Poll what `.properties.properties.AzureAsyncOperationUri` says; the last status."""
        url = answer.json()["properties"]["properties"]["AzureAsyncOperationUri"]
        assert url.startswith(self.server.base)
        assert "/mfeOperationsStatus/" in url
        seen = []

        def has_ended():
            operation = self._get(url)
            assert operation.status_code == 200
            seen.append(operation.json())
            return seen[-1]["status"] in TERMINAL

        wait_for(has_ended)
        return seen[-1]

    def wait_until_gone(self, answer, path):
        """Follow the Location of a DELETE until it is done; then nothing is there."""
        assert answer.status_code == 202
        assert int(answer.headers["retry-after"]) >= 0
        assert "x-ms-async-operation-timeout" in answer.headers
        wait_for(lambda: self._get(answer.headers["location"]).status_code != 202)
        assert self.curl("GET", path).status_code == 404

    def default_store(self):
        """Name, account and container, as jq takes them out of the answer."""
        answer = self.curl("GET", "/datastores", isDefault="true")
        (store,) = answer.json()["value"]
        shown = store["properties"].get("contents", store["properties"])
        return store["name"], shown["accountName"].rpartition("/")[2], shown["containerName"]

    def upload(self, path, content):
        """Put a blob into the default container; its URL."""
        _, account, container = self.default_store()
        url = f"{self.server.base}/{account}/{container}/{path}"
        token = self.server.token("https://storage.azure.com")
        headers = {
            "authorization": f"Bearer {token}",
            "x-ms-blob-type": "BlockBlob",
            "x-ms-version": "2021-08-06",
        }
        answer = self.server.http.put(url, content=content.encode(), headers=headers)
        assert answer.status_code == 201, answer.text
        md5 = answer.headers.get("content-md5")
        assert md5 is None or base64.b64decode(md5)
        return url

    def assets(self, name, script):
        """Upload and register code, model and environment; their ids."""
        store, account, container = self.default_store()
        self.upload(f"{name}/code/score.py", script)
        self.upload(f"{name}/model.json", json.dumps(WEIGHTS))
        if self.is_old:
            store_id = f"{self.server.workspace}/datastores/{store}"
            code = f'"datastoreId": "{store_id}",\n "path": "{name}/code"'
            model = f'"datastoreId": "{store_id}",\n "path": "{name}/model.json"'
        else:
            container_url = f"{self.server.base}/{account}/{container}"
            code = f'"description": "Score code",\n "codeUri": "{container_url}/{name}/code"'
            model = f'"modelUri": "{container_url}/{name}/model.json"'
        return (
            self.made(f"/codes/{name}/versions/1", f'{{\n"properties": {{\n {code}\n }}\n}}'),
            self.made(f"/models/{name}/versions/1", f'{{\n"properties": {{\n {model},\n }}\n}}'),
            self.made(f"/environments/{name}/versions/1", f'{{"properties":{{{self._image()}}}}}'),
        )

    def _image(self):
        """condaFile is pasted as it is, with its newlines."""
        image = "azureml/openmpi3.1.2-ubuntu18.04:latest"
        if not self.is_old:
            return f'\n "condaFile": "{CONDA}",\n "image": "{image}"\n'
        docker = f'"DockerSpecificationType": "Image",\n "DockerImageUri": "{image}"\n'
        return f'\n "condaFile": "{CONDA}",\n "Docker": {{\n {docker} }}\n'

    def _get(self, url):
        headers = {"authorization": f"Bearer {self.server.token()}"}
        return self.server.http.get(url, headers=headers)
