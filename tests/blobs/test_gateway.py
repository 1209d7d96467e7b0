"""The Blob protocol, request by request."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from xml.etree import ElementTree

import httpx2
import pytest

from lazulite.blobs.authorization import Authorizer, refuse_bearer
from lazulite.blobs.blob_operations import BLOCK_LIST_LIMIT
from lazulite.blobs.gateway import Gateway
from lazulite.core.clock import utc_now
from tests.blobs.files import folder_of

BLOCK = {"x-ms-blob-type": "BlockBlob"}


async def allow(request, account, permission, container, blob) -> None:
    """Everyone may do everything."""


@contextlib.asynccontextmanager
async def client_of(store, authorize=allow):
    transport = httpx2.ASGITransport(Gateway(store, authorize, utc_now), client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://localhost/mlstore/"
    ) as client:
        yield client


@pytest.fixture
async def client(store):
    async with client_of(store) as client:
        yield client


def code(response) -> str:
    """Header and body say the same."""
    name = response.headers["x-ms-error-code"]
    assert ElementTree.fromstring(response.content).findtext("Code") == name
    assert response.headers["content-type"] == "application/xml"
    return name


async def test_every_answer_names_its_request_version_and_date(client):
    asked = {"x-ms-client-request-id": "mine", "x-ms-version": "2021-08-06"}
    for path in ("files/none", "files/none/", "nothing?restype=container"):
        response = await client.get(path, headers=asked)
        assert response.status_code == 404
        assert response.headers["x-ms-client-request-id"] == "mine"
        assert response.headers["x-ms-version"] == "2021-08-06"
        assert response.headers["x-ms-request-id"]
        assert response.headers["date"].endswith("GMT")
        assert code(response) in {"BlobNotFound", "ContainerNotFound"}


async def test_put_answers_with_version_and_checksum(client):
    response = await client.put("files/a.txt", content=b"abc", headers=BLOCK)
    assert response.status_code == 201
    assert (
        response.headers["content-md5"] == base64.b64encode(hashlib.md5(b"abc").digest()).decode()
    )
    assert response.headers["etag"].startswith('"0x')
    again = await client.put("files/a.txt", content=b"abc", headers={**BLOCK, "if-none-match": "*"})
    assert (again.status_code, code(again)) == (409, "BlobAlreadyExists")


@pytest.mark.parametrize(
    ("asked", "status", "content", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=0-33554431", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=9-9999999999999999999", 206, b"9", "bytes 9-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=9999999999999999999-", 416, None, "bytes */10"),
        ("bytes=3-1", 416, None, "bytes */10"),
        ("bytes=0-1,3-4", 400, None, None),
        ("bytes=-5", 400, None, None),
        ("bytes=" + "0-1," * 50_000, 400, None, None),
        ("lines=1-2", 400, None, None),
    ],
)
async def test_ranges(client, asked, status, content, content_range):
    await client.put("files/a", content=b"0123456789", headers=BLOCK)
    response = await client.get("files/a", headers={"x-ms-range": asked, "range": "bytes=0-0"})
    assert response.status_code == status
    assert response.headers.get("content-range") == content_range
    if content is not None:
        assert response.content == content
        assert response.headers["content-length"] == str(len(content))


async def test_empty_blob_answers_a_range_with_416_and_a_plain_get_with_200(client):
    await client.put("files/empty", content=b"", headers=BLOCK)
    assert (await client.get("files/empty")).status_code == 200
    response = await client.get("files/empty", headers={"x-ms-range": "bytes=0-33554431"})
    assert (response.status_code, code(response)) == (416, "InvalidRange")


async def test_head_tells_the_length_and_sends_no_body(client):
    await client.put("files/a", content=b"12345", headers={**BLOCK, "x-ms-meta-K1": "v"})
    response = await client.head("files/a")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == "5"
    assert response.headers["x-ms-meta-k1"] == "v"
    missing = await client.head("files/none")
    assert (missing.status_code, missing.content) == (404, b"")
    assert missing.headers["x-ms-error-code"] == "BlobNotFound"


async def test_blob_that_the_client_has_is_not_sent_again(client):
    put = await client.put("files/a", content=b"1", headers=BLOCK)
    response = await client.get("files/a", headers={"if-none-match": put.headers["etag"]})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == put.headers["etag"]


async def test_uploaded_page_cannot_act_on_the_origin_of_the_server(client):
    headers = {**BLOCK, "x-ms-blob-content-type": "text/html"}
    await client.put("files/x.html", content=b"<script>1</script>", headers=headers)
    response = await client.get("files/x.html")
    assert response.headers["content-type"] == "text/html"
    assert response.headers["content-security-policy"].startswith("sandbox")
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "status", "expected"),
    [
        ({}, 400, "InvalidHeaderValue"),
        ({"x-ms-blob-type": "PageBlob"}, 400, "InvalidHeaderValue"),
        ({**BLOCK, "content-md5": "AAAA"}, 400, "InvalidHeaderValue"),
        ({**BLOCK, "content-md5": "A" * 22 + "=="}, 400, "Md5Mismatch"),
        ({**BLOCK, "x-ms-content-crc64": "A" * 11 + "="}, 400, "Crc64Mismatch"),
        ({**BLOCK, "content-length": str(6000 << 20)}, 413, "RequestBodyTooLarge"),
        ({**BLOCK, "x-ms-meta-a-b": "1"}, 400, "InvalidMetadata"),
        ({**BLOCK, "x-ms-meta-": "1"}, 400, "EmptyMetadataKey"),
        ({**BLOCK, "x-ms-meta-a": "x" * 9000}, 400, "MetadataTooLarge"),
        ({**BLOCK, "x-ms-tags": "a=<"}, 400, "InvalidTag"),
        ({**BLOCK, "x-ms-access-tier": "P10"}, 400, "InvalidHeaderValue"),
        ({**BLOCK, "x-ms-version": "newest"}, 400, "InvalidHeaderValue"),
        ({**BLOCK, "x-ms-encryption-key": "x"}, 400, "UnsupportedHeader"),
        ({**BLOCK, "x-ms-lease-id": "x"}, 412, "LeaseNotPresentWithBlobOperation"),
        ({"x-ms-copy-source": "http://x/y"}, 400, "CannotVerifyCopySource"),
        ({**BLOCK, "if-modified-since": "soon"}, 400, "InvalidHeaderValue"),
        ({**BLOCK, "if-match": '"0x1"'}, 412, "ConditionNotMet"),
    ],
)
async def test_put_that_cannot_be_met_is_refused_and_leaves_nothing(
    client, headers, status, expected
):
    response = await client.put("files/a", content=b"abc", headers=headers)
    assert (response.status_code, code(response)) == (status, expected)
    assert (await client.head("files/a")).status_code == 404


async def test_body_without_a_length_is_refused(client):
    async def pieces():
        yield b"abc"

    response = await client.put("files/a", content=pieces(), headers=BLOCK)
    assert (response.status_code, code(response)) == (411, "MissingContentLengthHeader")


@pytest.mark.parametrize(
    "path", ["%2e%2e/x", "a/%2e%2e/%2e%2e/x", "..%2f..%2fetc%2fpasswd", "a%00b", "%ff"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_encoded_climbing_is_refused(store, path, method):
    async with client_of(store) as client:
        url = httpx2.URL("http://localhost").copy_with(raw_path=f"/mlstore/files/{path}".encode())
        response = await client.request(method, url, content=b"x", headers=BLOCK)
    assert response.status_code == 400


async def test_names_are_decoded_exactly_once(store):
    async with client_of(store) as client:
        url = httpx2.URL("http://localhost").copy_with(raw_path=b"/mlstore/files/%252e%252e%252f")
        assert (await client.delete(url)).status_code == 404
        assert (await client.put(url, content=b"x", headers=BLOCK)).status_code == 201
    assert [path.name for path in folder_of(store).iterdir()] == ["%2e%2e%2f"]


async def test_blobs_with_waiting_blocks_only_are_listed_where_that_is_asked_for(client):
    for name in ("a", "c/d"):
        await client.put(f"files/{name}", content=b"x", headers=BLOCK)
    for name in ("a", "b", "c/e", "d//"):
        answer = await client.put(f"files/{name}?comp=block&blockid=AA==", content=b"x")
        assert answer.status_code == 201
    listed = "files?restype=container&comp=list"

    async def found(query):
        tree = ElementTree.fromstring((await client.get(listed + query)).content)
        return [(one.findtext("Name"), one.findtext("Properties/Content-Length"))
                for one in tree.find("Blobs")], tree.findtext("NextMarker")  # fmt: skip

    assert await found("") == ([("a", "1"), ("c/d", "1")], "")
    query = "&include=uncommittedblobs"
    everything = [("a", "1"), ("b", "0"), ("c/d", "1"), ("c/e", "0"), ("d//", "0")]
    assert await found(query) == (everything, "")
    assert (await found(f"{query}&prefix=c/"))[0] == everything[2:4]
    grouped = [*everything[:2], ("c/", None), ("d/", None)]
    assert (await found(f"{query}&delimiter=/"))[0] == grouped
    page, marker = await found(f"{query}&maxresults=3")
    assert page + (await found(f"{query}&marker={marker}"))[0] == everything


async def test_list_has_the_shape_of_azure(client):
    for name in ("a&b<c>.txt", "d/e", "d/f%01"):
        await client.put(f"files/{name}", content=b"x", headers={**BLOCK, "x-ms-meta-k": "<v>"})
    address = "files?restype=container&comp=list"
    tree = ElementTree.fromstring((await client.get(f"{address}&include=metadata")).content)
    names = [(item.text, item.get("Encoded")) for item in tree.iterfind("Blobs/Blob/Name")]
    assert names == [("a&b<c>.txt", None), ("d/e", None), ("d/f%01", "true")]
    assert tree.findtext("Blobs/Blob/Metadata/k") == "<v>"
    tree = ElementTree.fromstring((await client.get(f"{address}&delimiter=/&maxresults=1")).content)
    assert [item.text for item in tree.iterfind("Blobs/*/Name")] == ["a&b<c>.txt"]
    following = f"{address}&delimiter=/&marker={tree.findtext('NextMarker')}"
    tree = ElementTree.fromstring((await client.get(following)).content)
    assert [item.text for item in tree.iterfind("Blobs/BlobPrefix/Name")] == ["d/"]
    assert not tree.findtext("NextMarker")


@pytest.mark.parametrize("value", ["0", "-1", "x", "9" * 5000])
async def test_page_size_must_be_a_number(client, value):
    response = await client.get(f"files?restype=container&comp=list&maxresults={value}")
    assert (response.status_code, code(response)) == (400, "InvalidQueryParameterValue")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"", "InvalidXmlDocument"),
        (b"<BlockList><Latest>AA==</Latest>", "InvalidXmlDocument"),
        (b"<Other/>", "InvalidXmlDocument"),
        (b"<BlockList><Newest>AA==</Newest></BlockList>", "InvalidXmlDocument"),
        (b"<BlockList><Latest><b/></Latest></BlockList>", "InvalidXmlDocument"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><BlockList/>', "InvalidXmlDocument"),
        (b"<BlockList><Latest>?</Latest></BlockList>", "InvalidBlockId"),
        (b"<BlockList><Latest>AAAA</Latest></BlockList>", "InvalidBlockList"),
        (b" " * (BLOCK_LIST_LIMIT + 1), "RequestBodyTooLarge"),
    ],
)
async def test_block_list_that_is_wrong_commits_nothing(client, document, expected):
    await client.put("files/a?comp=block&blockid=AA==", content=b"x")
    response = await client.put("files/a?comp=blocklist", content=document)
    assert code(response) == expected
    assert (await client.head("files/a")).status_code == 404


@pytest.mark.parametrize("block_id", ["", "?", "A", base64.b64encode(b"x" * 65).decode()])
async def test_block_id_must_be_base64_of_at_most_64_bytes(client, block_id):
    response = await client.put(
        "files/a", params={"comp": "block", "blockid": block_id}, content=b"x"
    )
    assert code(response) == "InvalidBlockId"


async def test_properties_are_replaced_and_metadata_stays(client):
    headers = {**BLOCK, "x-ms-blob-content-type": "a/b", "x-ms-blob-cache-control": "no-store"}
    await client.put("files/a", content=b"x", headers={**headers, "x-ms-meta-k": "v"})
    response = await client.put(
        "files/a?comp=properties", headers={"x-ms-blob-content-type": "c/d"}
    )
    assert response.status_code == 200
    seen = (await client.head("files/a")).headers
    assert (seen["content-type"], seen["x-ms-meta-k"]) == ("c/d", "v")
    assert "cache-control" not in seen


async def test_md5_of_a_range_is_told_on_request_up_to_4_mib(client):
    await client.put("files/a", content=b"x" * (5 << 20), headers=BLOCK)
    asked = {"x-ms-range-get-content-md5": "true"}
    response = await client.get("files/a", headers={**asked, "x-ms-range": "bytes=0-9"})
    assert base64.b64decode(response.headers["content-md5"]) == hashlib.md5(b"x" * 10).digest()
    response = await client.get("files/a", headers={**asked, "x-ms-range": "bytes=0-"})
    assert code(response) == "InvalidHeaderValue"


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("GET", "files", 400, "InvalidUri"),
        ("PUT", "files?restype=container", 409, "ContainerAlreadyExists"),
        ("PUT", "Files?restype=container", 400, "InvalidResourceName"),
        ("POST", "files/a", 405, "UnsupportedHttpVerb"),
        ("PUT", "files/a?comp=lease", 404, "BlobNotFound"),
        ("GET", "files/a?snapshot=2020-01-01", 404, "BlobNotFound"),
        ("PUT", "files/a?snapshot=2020-01-01", 400, "UnsupportedQueryParameter"),
        ("GET", "files/a?versionid=2020-01-01", 400, "UnsupportedQueryParameter"),
        ("PUT", "files/a?comp=undelete", 501, "NotImplemented"),
        ("PUT", "files/a?comp=page", 501, "NotImplemented"),
        ("POST", "files/a?comp=query", 501, "NotImplemented"),
        ("PUT", "files/a?comp=immutabilitypolicies", 501, "NotImplemented"),
        ("PUT", "files/a?comp=nothing", 400, "UnsupportedQueryParameter"),
        ("DELETE", "none?restype=container", 404, "ContainerNotFound"),
        ("GET", "files/a?comp=blocklist&blocklisttype=x", 400, "InvalidQueryParameterValue"),
    ],
)
async def test_requests_that_name_nothing_served(client, method, path, status, expected):
    response = await client.request(method, path)
    assert (response.status_code, code(response)) == (status, expected)


async def test_request_without_credentials_is_asked_for_them(store):
    async def keys(account):
        return [b"key"]

    authorizer = Authorizer(keys, utc_now, refuse_bearer, "Bearer realm=x")
    await store.containers.create("mlstore", "more")
    async with client_of(store, authorizer) as client:
        for path in ("files/a", "none/a", "files?restype=container&comp=list", "?comp=list"):
            response = await client.get(path)
            assert (response.status_code, code(response)) == (401, "NoAuthenticationInformation")
            assert response.headers["www-authenticate"] == "Bearer realm=x"


async def test_bearer_tokens_are_left_to_their_own_judge(store):
    asked = []

    async def bearer(request, account, permission, container, blob):
        asked.append((account, str(permission), container, blob))

    async def keys(account):
        return []

    async with client_of(store, Authorizer(keys, utc_now, bearer, "Bearer")) as client:
        headers = {"authorization": "Bearer token"}
        await client.put("files/a/b", content=b"1", headers={**headers, **BLOCK})
        await client.get("files?restype=container&comp=list", headers=headers)
    assert asked == [("mlstore", "w", "files", "a/b"), ("mlstore", "l", "files", None)]
