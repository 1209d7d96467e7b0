"""artifact/v2.0: files of runs and of local uploads."""

import asyncio
import re

import pytest

from tests.dataplane.requests import ask

RUN = "ExperimentRun/dcid.run_1"
WANTED_BY_MLFLOW = r"^https://.*\.blob\.core\.local/.*/.*\?.*"  # spec/CLIENTS.md 11.4


@pytest.fixture
def artifacts(plane):
    async def send(method, where, /, *rest, **given):
        return await ask(plane, method, f"/artifact/v2.0{plane.workspace}/artifacts/{where}", *rest,
                         **given)  # fmt: skip

    return send


@pytest.fixture
async def folder(plane):
    """Where runs write their artifacts."""
    row = await plane.base.resources.find(plane.workspace)
    return plane.base.layout.data / "blobs" / row.observed["account"] / "azureml"


async def upload(artifacts, path, content=b"text", run=RUN, **query):
    return await artifacts("POST", f"{run}/content", content, path=path, **query)


async def test_what_is_uploaded_lies_where_runs_keep_theirs(artifacts, folder):
    made = (await upload(artifacts, "outputs/a b.txt")).json()
    assert (
        made.items()
        >= {
            "artifactId": f"{RUN}/outputs/a b.txt",
            "origin": "ExperimentRun",
            "container": "dcid.run_1",
            "path": "outputs/a b.txt",
            "dataPath": None,
        }.items()
    )
    assert (folder / RUN / "outputs/a b.txt").read_bytes() == b"text"
    assert (await artifacts("GET", f"{RUN}/metadata", path="outputs/a b.txt")).json() == made
    content = await artifacts("GET", f"{RUN}/content", path="outputs/a b.txt")
    assert (content.content, content.headers["content-length"]) == (b"text", "4")


async def test_what_a_run_wrote_is_an_artifact(artifacts, folder):
    (folder / RUN / "user_logs").mkdir(parents=True)
    (folder / RUN / "user_logs/std_log.txt").write_text("hello")
    (folder / RUN / "x.txt").write_text("")
    shown = (await artifacts("GET", RUN)).json()
    assert [one["path"] for one in shown["value"]] == ["user_logs/std_log.txt", "x.txt"]
    assert (shown["continuationToken"], shown["nextLink"]) == (None, None)
    shown = (await artifacts("GET", RUN, path="user_logs/")).json()["value"]
    assert [one["path"] for one in shown] == ["user_logs/std_log.txt"]


async def test_the_older_urls_have_the_path_in_them(artifacts):
    body = {"content-type": "text/plain"}
    made = await artifacts("POST", f"content/{RUN}/outputs/a.txt", b"text", headers=body)
    assert made.json()["path"] == "outputs/a.txt"
    content = await artifacts("GET", f"content/{RUN}/outputs/a.txt")
    assert (content.text, content.headers["content-type"]) == ("text", "text/plain")
    assert (await artifacts("GET", f"metadata/{RUN}/outputs/a.txt")).json() == made.json()
    info = (await artifacts("GET", f"contentinfo/{RUN}/outputs/a.txt")).json()
    assert info["path"] == "outputs/a.txt"
    infos = (await artifacts("GET", f"prefix/contentinfo/{RUN}/outputs")).json()["value"]
    assert [one["path"] for one in infos] == ["outputs/a.txt"]
    assert (await artifacts("DELETE", f"metadata/{RUN}/outputs/a.txt")).status_code == 200


async def test_a_signed_address_reads_and_only_reads(artifacts, plane):
    await upload(artifacts, "a.txt")
    info = (await artifacts("GET", f"{RUN}/contentinfo", path="a.txt")).json()
    assert re.match(WANTED_BY_MLFLOW, info["contentUri"])
    assert (await plane.client.get(info["contentUri"])).text == "text"
    refused = await plane.client.put(
        info["contentUri"], content=b"x", headers={"x-ms-blob-type": "BlockBlob"}
    )
    assert refused.status_code == 403
    bare = (await artifacts("GET", f"{RUN}/contentinfo/storageuri", path="a.txt")).json()
    assert bare["contentUri"] == info["contentUri"].partition("?")[0]
    assert (await plane.client.get(bare["contentUri"])).status_code == 401


async def test_a_signed_address_writes_what_is_then_an_artifact(artifacts, plane):
    info = (await artifacts("GET", f"{RUN}/write", path="a/ü.txt")).json()
    assert (await artifacts("GET", RUN)).json()["value"] == []
    put = {"x-ms-blob-type": "BlockBlob", "if-none-match": "*"}
    assert (await plane.client.put(info["contentUri"], content=b"1", headers=put)).is_success
    (one,) = (await artifacts("GET", RUN)).json()["value"]
    assert one["path"] == "a/ü.txt"


async def test_many_are_made_by_writing_to_their_addresses(artifacts, plane):
    paths = {"paths": [{"path": "m/1.txt"}, {"path": "m/2.txt"}]}
    made = (await artifacts("POST", "LocalUpload/240101/batch/metadata", paths)).json()
    assert made.keys() == {"artifacts", "artifactContentInformation", "errors"}
    assert made["artifacts"]["m/1.txt"]["artifactId"] == "LocalUpload/240101/m/1.txt"
    put = {"x-ms-blob-type": "BlockBlob", "if-none-match": "*"}
    for info in made["artifactContentInformation"].values():
        assert (await plane.client.put(info["contentUri"], content=b"1", headers=put)).is_success
    infos = (await artifacts("GET", "LocalUpload/240101/prefix/contentinfo", path="m")).json()
    contents = [(await plane.client.get(one["contentUri"])).text for one in infos["value"]]
    assert contents == ["1", "1"]


async def test_addresses_by_id_come_with_errors_for_what_is_not_there(artifacts, plane):
    await upload(artifacts, "a.txt")
    ids = {"artifactIds": [f"{RUN}/a.txt", f"{RUN}/none", "bad"]}
    found = (await artifacts("POST", "batch/metadata", ids)).json()
    assert found["artifacts"].keys() == {f"{RUN}/a.txt"}
    uri = found["artifactContentInformation"][f"{RUN}/a.txt"]["contentUri"]
    assert (await plane.client.get(uri)).text == "text"
    codes = {name: error["error"]["innerError"]["code"] for name, error in found["errors"].items()}
    assert codes == {f"{RUN}/none": "ArtifactNotFound", "bad": "BadArgument"}


async def test_a_content_is_overwritten_only_if_that_is_allowed(artifacts):
    await upload(artifacts, "a.txt", b"one")
    refused = await upload(artifacts, "a.txt", b"two")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "UserError")
    assert (await upload(artifacts, "a.txt", b"two", allowOverwrite="true")).is_success
    assert (await artifacts("GET", f"{RUN}/content", path="a.txt")).text == "two"


async def test_pieces_are_appended_in_order(artifacts):
    for index, piece in enumerate((b"one ", b"two ", b"three")):
        answer = await upload(artifacts, "log.txt", piece, append="true", index=str(index))
        assert answer.is_success
    assert (await artifacts("GET", f"{RUN}/content", path="log.txt")).text == "one two three"


async def test_of_appends_at_the_same_time_none_is_lost_silently(artifacts):
    pieces = [str(n).encode() for n in range(6)]
    sent = await asyncio.gather(
        *(upload(artifacts, "log.txt", piece, append="true") for piece in pieces)
    )
    kept = [p.decode() for p, answer in zip(pieces, sent, strict=True) if answer.is_success]
    assert {answer.status_code for answer in sent} <= {200, 409, 412}
    content = (await artifacts("GET", f"{RUN}/content", path="log.txt")).text
    assert sorted(content) == kept


async def test_an_empty_artifact_is_made_once(artifacts):
    body = {"origin": "ExperimentRun", "container": "dcid.run_1", "path": "a.txt"}
    made = (await artifacts("POST", "metadata", body)).json()
    await upload(artifacts, "a.txt", b"text", allowOverwrite="true")
    assert (await artifacts("POST", "register", body)).json()["artifactId"] == made["artifactId"]
    assert (await artifacts("GET", f"{RUN}/content", path="a.txt")).text == "text"
    linked = {**body, "dataPath": {"dataStoreName": "other", "relativePath": "x"}}
    assert (await artifacts("POST", "metadata", linked)).status_code == 501


async def test_artifacts_are_deleted_one_by_one_or_all(artifacts):
    for path in ("a.txt", "b/c.txt", "b/d.txt"):
        await upload(artifacts, path)
    await upload(artifacts, "kept.txt", run="ExperimentRun/dcid.run_10")
    assert (await artifacts("DELETE", f"{RUN}/metadata", path="a.txt")).status_code == 200
    assert (await artifacts("DELETE", f"{RUN}/metadata", path="a.txt")).status_code == 404
    paths = {"paths": [{"path": "b/c.txt"}, {"path": "none"}]}
    assert (await artifacts("POST", f"{RUN}/batch/metadata:delete", paths)).status_code == 200
    assert [one["path"] for one in (await artifacts("GET", RUN)).json()["value"]] == ["b/d.txt"]
    assert (await artifacts("DELETE", f"{RUN}/batch", hardDelete="true")).status_code == 200
    assert (await artifacts("GET", RUN)).json()["value"] == []
    assert len((await artifacts("GET", "ExperimentRun/dcid.run_10")).json()["value"]) == 1


async def test_long_lists_are_continued(artifacts, folder, plane):
    (folder / RUN).mkdir(parents=True)
    for number in range(501):
        (folder / RUN / f"{number:03}").touch()
    first = (await artifacts("GET", RUN)).json()
    assert (len(first["value"]), bool(first["continuationToken"])) == (500, True)
    rest = (await ask(plane, "GET", first["nextLink"])).json()
    assert [one["path"] for one in rest["value"]] == ["500"]
    assert rest["nextLink"] is None
    assert (await artifacts("GET", RUN, continuationToken="@")).status_code == 400


async def test_a_path_that_leads_elsewhere_is_refused(artifacts, folder):
    for path in ("../x", "a/../../x", "a\\b", "x\0", "/", "a" * 2000, "b/" * 600 + "c"):
        answer = await upload(artifacts, path)
        assert answer.status_code in {400, 404}, answer.text
        assert answer.json()["error"]["code"] == "UserError"
    assert not [path for path in folder.rglob("*") if path.is_file()]


async def test_an_origin_is_no_way_out(artifacts):
    for origin, container in (("..", "azureml-blobstore"), (".", "c"), ("a/b", "c"), ("", "c")):
        body = {"origin": origin, "container": container, "path": "x"}
        assert (await artifacts("POST", "metadata", body)).status_code == 400


async def test_without_a_path_there_is_nothing_to_read(artifacts):
    answer = await artifacts("GET", f"{RUN}/content")
    assert (answer.status_code, answer.json()["error"]["target"]) == (400, "path")
    answer = await artifacts("GET", f"{RUN}/content", path="none")
    assert (answer.status_code, answer.json()["error"]["innerError"]["code"]) == (
        404,
        "ArtifactNotFound",
    )
