"""Bad inputs that concern the gateway. Source: spec/SECURITY.md 2.1, 2.4, 2.6, 2.7, 2.8."""

from __future__ import annotations

import contextlib

import httpx2
import pytest

from lazulite.blobs.authorization import Authorizer, Grants, refuse_bearer
from lazulite.blobs.errors import BlobError
from lazulite.blobs.gateway import Gateway
from lazulite.core.clock import utc_now

BLOCK = {"x-ms-blob-type": "BlockBlob"}
CORS = (
    "<StorageServiceProperties><Cors><CorsRule><AllowedOrigins>https://a.example</AllowedOrigins>"
    "<AllowedMethods>GET,PUT</AllowedMethods><AllowedHeaders>x-ms-*,content-type</AllowedHeaders>"
    "<ExposedHeaders>etag</ExposedHeaders><MaxAgeInSeconds>60</MaxAgeInSeconds></CorsRule></Cors>"
    "</StorageServiceProperties>"
)


async def allow(request, account, permission, container, blob) -> None:
    """Everyone may do everything."""


@contextlib.asynccontextmanager
async def client_of(store, authorize=allow, grants=None):
    gateway = Gateway(store, authorize, utc_now, grants or Grants())
    transport = httpx2.ASGITransport(gateway, client=("127.0.0.1", 1))
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://localhost/mlstore/"
    ) as client:
        yield client


@pytest.fixture
async def client(store):
    async with client_of(store) as client:
        await client.put("files/a", content=b"abc", headers=BLOCK)
        yield client


def code(response):
    return response.headers.get("x-ms-error-code")


@pytest.mark.parametrize(
    "source",
    [
        "http://169.254.169.254/metadata/x", "http://127.0.0.1:80/a/b/c", "http://[::1]/a/b/c",
        "http://[::ffff:7f00:1]/a/b/c", "http://2130706433/a/b/c", "http://0x7f.1/a/b/c",
        "http://0/a/b/c", "http://localtest.me/a/b/c", "http://good.example@127.0.0.1/a/b/c",
        "https://localhost@evil.example/a/b/c", "gopher://localhost/a/b/c", "file:///etc/passwd",
        "ftp://localhost/a/b/c", "unix:/run/x", "http://localhost/mlstore/files/a#frag",
        "http://localhost/mlstore/files", "http://localhost/", "//localhost/mlstore/files/a",
        "http://localhost.evil.example/mlstore/files/a", "http://[/x", "x" * 3000, "",
        "http://localhost/mlstore/files/../../../etc/passwd",
        "http://localhost/mlstore/files/%2e%2e/%2e%2e/x", "http://localhost/mlstore/../files/a",
    ],
)  # fmt: skip
@pytest.mark.parametrize("query", ["", "?comp=block&blockid=AA==", "?comp=appendblock"])
async def test_copy_source_elsewhere_is_refused_and_nothing_is_made(client, source, query):
    response = await client.put(f"files/new{query}", headers={"x-ms-copy-source": source})
    assert (response.status_code, bool(code(response))) == (400, True)
    assert (await client.head("files/new")).status_code == 404


@pytest.mark.parametrize(
    "path", ["../x", "..%5c..%5cx", "%2e%2e/x", "a/%2e%2e/b", "a%00b", "....%2f%2f..%2fx", "%ff"]
)
@pytest.mark.parametrize(
    "query", ["?comp=snapshot", "?comp=lease", "?comp=tags", "?comp=tier", "?comp=appendblock"]
)
async def test_climbing_names_are_refused_by_every_operation(store, path, query):
    async with client_of(store) as client:
        url = httpx2.URL("http://localhost").copy_with(
            raw_path=f"/mlstore/files/{path}{query}".encode()
        )
        headers = {
            "x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1", "x-ms-access-tier": "Hot",
        }  # fmt: skip
        body = b"<Tags><TagSet/></Tags>"
        response = await client.put(url, headers=headers, content=body)
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "expected"),
    [
        ("PUT", "files/a?comp=lease", {}, b"", "InvalidHeaderValue"),
        ("PUT", "files/a?comp=lease", {"x-ms-lease-action": "steal"}, b"", "InvalidHeaderValue"),
        ("PUT", "files/a?comp=lease", {"x-ms-lease-action": "acquire"}, b"",
         "MissingRequiredHeader"),
        ("PUT", "files/a?comp=lease",
         {"x-ms-lease-action": "acquire", "x-ms-lease-duration": "9" * 400}, b"",
         "InvalidHeaderValue"),
        ("PUT", "files/a?comp=lease", {"x-ms-lease-action": "renew", "x-ms-lease-id": "../x"}, b"",
         "InvalidHeaderValue"),
        ("PUT", "files/a?comp=lease",
         {"x-ms-lease-action": "break", "x-ms-lease-break-period": "61"}, b"",
         "InvalidHeaderValue"),
        ("PUT", "files/a?comp=tags", {}, b"<!DOCTYPE x [<!ENTITY a 'b'>]><Tags/>",
         "InvalidXmlDocument"),
        ("PUT", "files/a?comp=tags", {}, b"<Other/>", "InvalidXmlDocument"),
        ("PUT", "files/a?comp=tags", {}, b"<Tags>" + b"x" * 70_000, "RequestBodyTooLarge"),
        ("PUT", "files/a?comp=tier", {}, b"", "MissingRequiredHeader"),
        ("PUT", "files/a?comp=tier", {"x-ms-access-tier": "hot"}, b"", "InvalidHeaderValue"),
        ("PUT", "files/a?comp=appendblock", {}, b"", "InvalidHeaderValue"),
        ("PUT", "files/a?comp=appendblock", {"x-ms-blob-condition-appendpos": "-1"}, b"x",
         "InvalidHeaderValue"),
        ("PUT", "files/a?comp=appendblock", {}, b"x", "InvalidBlobType"),
        ("PUT", "files/a?comp=copy&copyid=x", {}, b"", "MissingRequiredHeader"),
        ("DELETE", "files/a", {"x-ms-delete-snapshots": "all"}, b"", "InvalidHeaderValue"),
        ("GET", "files/a", {"x-ms-if-tags": "a ="}, b"", "InvalidHeaderValue"),
        ("GET", "files/a", {"x-ms-if-tags": "a = 'b'"}, b"", "ConditionNotMet"),
        ("GET", "?comp=blobs&where=a", {}, b"", "InvalidQueryParameterValue"),
        ("GET", "?comp=blobs&where=a='1' OR b='2'", {}, b"", "InvalidQueryParameterValue"),
        ("GET", "?comp=list&marker=!", {}, b"", "InvalidQueryParameterValue"),
        ("GET", "files?restype=container&comp=list&include=all", {}, b"",
         "InvalidQueryParameterValue"),
        ("PUT", "files?restype=container&comp=acl", {"x-ms-blob-public-access": "all"}, b"",
         "InvalidHeaderValue"),
        ("PUT", "files?restype=container&comp=acl", {"x-ms-blob-public-access": "blob"}, b"",
         "PublicAccessNotPermitted"),
        ("PUT", "files?restype=container&comp=acl", {},
         b"<SignedIdentifiers>" + b"<SignedIdentifier><Id>a</Id></SignedIdentifier>" * 2
         + b"</SignedIdentifiers>", "InvalidXmlDocument"),
        ("PUT", "?restype=service&comp=properties", {},
         b"<StorageServiceProperties><DeleteRetentionPolicy><Enabled>true</Enabled><Days>7</Days>"
         b"</DeleteRetentionPolicy></StorageServiceProperties>", "InvalidXmlNodeValue"),
        ("PUT", "?restype=service&comp=properties", {},
         b"<StorageServiceProperties><Cors><CorsRule/></Cors></StorageServiceProperties>",
         "InvalidXmlNodeValue"),
        ("POST", "?comp=batch", {}, b"", "InvalidHeaderValue"),
        ("POST", "?comp=batch", {"content-type": "multipart/mixed; boundary=b"}, b"--b--\r\n",
         "InvalidInput"),
        ("POST", "?comp=batch", {"content-type": "multipart/mixed; boundary=b"},
         b"--b\r\ncontent-id: 0\r\n\r\nGET /mlstore/files/a HTTP/1.1\r\n\r\n\r\n--b--\r\n",
         "InvalidInput"),
        ("POST", "?comp=batch", {"content-type": "multipart/mixed; boundary=b"},
         b"--b\r\n\r\nDELETE /mlstore/files?restype=container&comp=acl HTTP/1.1\r\n\r\n\r\n--b--",
         "InvalidInput"),
    ],
)  # fmt: skip
async def test_bad_requests_are_named_and_leave_the_blob_as_it_was(
    client, method, path, headers, body, expected
):
    before = (await client.head("files/a")).headers["etag"]
    response = await client.request(method, path, headers=headers, content=body)
    assert (code(response), 400 <= response.status_code < 500) == (expected, True)
    assert (await client.head("files/a")).headers["etag"] == before


async def test_batch_of_a_container_cannot_smuggle_a_change_of_the_container(client):
    part = b"--b\r\n\r\nDELETE /mlstore/files?restype=container HTTP/1.1\r\n\r\n\r\n--b--"
    headers = {"content-type": "multipart/mixed; boundary=b"}
    response = await client.post("?comp=batch", headers=headers, content=part)
    assert b"InvalidUri" in response.content or code(response) == "InvalidInput"
    assert (await client.head("files/a")).status_code == 200


async def test_parts_of_a_batch_are_authorized_one_by_one(store):
    async def refuse(request, account, permission, container, blob):
        if blob == "kept":
            raise BlobError("AuthorizationPermissionMismatch")

    async with client_of(store, refuse) as client:
        await client.put("files/gone", content=b"x", headers=BLOCK)
        parts = "".join(
            f"--b\r\ncontent-id: {n}\r\n\r\nDELETE /mlstore/files/{name} HTTP/1.1\r\n\r\n\r\n"
            for n, name in enumerate(("kept", "gone"))
        )
        headers = {"content-type": "multipart/mixed; boundary=b"}
        response = await client.post("?comp=batch", headers=headers, content=f"{parts}--b--\r\n")
        lines = [line for line in response.text.split("\r\n") if line.startswith("HTTP/1.1")]
        assert lines == ["HTTP/1.1 403 Forbidden", "HTTP/1.1 202 Accepted"]


async def test_pages_of_other_sites_may_do_what_the_rules_admit(client):
    page = {"origin": "https://a.example"}
    asked = {**page, "access-control-request-method": "PUT"}
    refused = await client.options("files/a", headers=asked)
    assert (refused.status_code, code(refused)) == (403, "CorsPreflightFailure")
    assert "access-control-allow-origin" not in (await client.get("files/a", headers=page)).headers
    put = await client.put("?restype=service&comp=properties", content=CORS)
    assert put.status_code == 202
    allowed = await client.options(
        "files/a", headers={**asked, "access-control-request-headers": "x-ms-blob-type"}
    )
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://a.example"
    assert allowed.headers["access-control-max-age"] == "60"
    answer = await client.get("files/a", headers=page)
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    assert answer.headers["access-control-expose-headers"] == "etag"


@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [
        ("https://evil.example", "PUT", ""),
        ("null", "GET", ""),
        ("https://a.example.evil", "GET", ""),
        ("http://a.example", "GET", ""),
        ("https://a.example", "DELETE", ""),
        ("https://a.example", "PUT", "authorization"),
    ],
)
async def test_pages_that_no_rule_admits_are_refused(client, origin, method, headers):
    await client.put("?restype=service&comp=properties", content=CORS)
    asked = {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": headers,
    }
    response = await client.options("files/a", headers=asked)
    assert (response.status_code, code(response)) == (403, "CorsPreflightFailure")


async def test_stored_policy_that_is_gone_voids_its_signatures(store):
    async def keys(account):
        return [b"key"]

    authorizer = Authorizer(keys, utc_now, refuse_bearer, "Bearer", Grants(store.containers.access))
    async with client_of(store, authorizer) as client:
        response = await client.get("files/a?sv=2023-11-03&sr=c&si=readers&sig=AAAA")
        assert (response.status_code, code(response)) == (403, "AuthenticationFailed")
