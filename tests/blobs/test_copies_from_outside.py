"""Copies whose source is on another server: what is fetched, and what never is."""

import base64
import hashlib

import httpx2
import pytest

from lazulite.blobs.authorization import Grants
from lazulite.blobs.gateway import Gateway
from lazulite.blobs.outside import OutsideSources
from lazulite.core.clock import utc_now
from lazulite.fetch.rules import Rules
from lazulite.fetch.session import Fetcher
from tests.fetch.conftest import QUICK
from tests.web import send, serving

DATA = bytes(range(256)) * 40
BLOCK = {"x-ms-blob-type": "BlockBlob"}
HOST = "http://localhost:8080"
ID = base64.b64encode(b"0001").decode()
NEVER_FETCHED = [
    *("http://169.254.169.254/metadata", "http://127.0.0.1:1/", "http://[::1]/x", "http://0/x"),
    *("http://[::ffff:7f00:1]/x", "http://2130706433/x", "http://0x7f.1/x", "http://127.1/x"),
    *("https://ok.example/../x", "http://10.0.0.1/x", "http://localhost:1/x"),
]
NO_SOURCE = ["gopher://x/y", "file:///etc/passwd", "ftp://x/y", "unix:/x", "http://a@127.0.0.1/"]


async def anyone(request, account, permission, container, blob):
    """Authorisation is tested elsewhere."""


@pytest.fixture
def web():
    with serving() as web:
        yield web


def client(store, rules):
    outside = OutsideSources(Fetcher(rules, QUICK))
    gateway = Gateway(store, anyone, utc_now, Grants(outside=outside))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=gateway), base_url=HOST)


@pytest.fixture
async def http(store, web):
    async with client(store, Rules.parse(["127.0.0.1"], [])) as http:
        yield http


@pytest.fixture
async def strict(store):
    async with client(store, Rules()) as http:
        yield http


def code(answer):
    return answer.status_code, answer.headers.get("x-ms-error-code")


async def copy(http, url, query="", **headers):
    named = {f"x-ms-{name.replace('_', '-')}": value for name, value in headers.items()}
    sent = {"x-ms-copy-source": url, **named}
    return await http.put(f"/mlstore/files/copy{query}", headers=sent)


async def content(http):
    return (await http.get("/mlstore/files/copy")).content


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 202), ({"requires_sync": "true"}, 202), ({"blob_type": "BlockBlob"}, 201)],
)
async def test_copy_has_bytes_and_properties_of_the_source(http, web, headers, status):
    said = {"Content-Type": "text/csv", "Cache-Control": "no-store", "x-ms-meta-k": "v"}
    web.serve("/data.csv", DATA, **said)
    answer = await copy(http, f"{web.url}/data.csv?sig=secret", **headers)
    assert answer.status_code == status, answer.text
    found = await http.get("/mlstore/files/copy")
    assert found.content == DATA
    assert {name: found.headers[name] for name in said} == said
    if status == 202:
        assert found.headers["x-ms-copy-source"] == f"{web.url}/data.csv"
        assert found.headers["x-ms-copy-status"] == "success"


@pytest.mark.parametrize("host", ["localhost", "blob.localhost", "blob.core.localhost"])
async def test_an_account_of_this_server_is_not_fetched_under_any_of_its_names(strict, host):
    await strict.put("/mlstore/files/source", headers=BLOCK, content=DATA)
    token = {"copy_source_authorization": "Bearer x"}
    answer = await copy(strict, f"http://mlstore.{host}:8080/files/source", **token)
    assert answer.status_code == 202, answer.text
    assert await content(strict) == DATA


async def test_blocks_and_appends_are_the_range_that_was_asked_for(http, web):
    def ranged(request):
        start, stop = (int(n) for n in request.headers["Range"].removeprefix("bytes=").split("-"))
        said = {"Content-Range": f"bytes {start}-{stop}/{len(DATA)}"}
        send(request, 206, DATA[start : stop + 1], **said)

    web.answers["/data"] = ranged
    part = {"source_range": "bytes=100-299"}
    answer = await copy(http, f"{web.url}/data", f"?comp=block&blockid={ID}", **part)
    assert answer.status_code == 201, answer.text
    await http.put(
        "/mlstore/files/copy?comp=blocklist",
        content=f"<BlockList><Latest>{ID}</Latest></BlockList>",
    )
    assert await content(http) == DATA[100:300]
    append = {"x-ms-blob-type": "AppendBlob"}
    await http.put("/mlstore/files/copy", headers=append)
    answer = await copy(http, f"{web.url}/data", "?comp=appendblock", **part)
    assert answer.status_code == 201, answer.text
    assert await content(http) == DATA[100:300]


async def test_source_without_ranges_is_refused_for_a_part(http, web):
    web.serve("/data", DATA)
    query = f"?comp=block&blockid={ID}"
    answer = await copy(http, f"{web.url}/data", query, source_range="bytes=0-9")
    assert code(answer) == (400, "CannotVerifyCopySource")
    assert "range" in answer.text


async def test_checksum_of_the_source_is_held_to(http, web):
    web.serve("/data", DATA)
    right = base64.b64encode(hashlib.md5(DATA).digest()).decode()
    wrong = base64.b64encode(b"0" * 16).decode()
    put = {"blob_type": "BlockBlob"}
    refused = await copy(http, f"{web.url}/data", **put, source_content_md5=wrong)
    assert code(refused) == (400, "Md5Mismatch")
    assert (await http.get("/mlstore/files/copy")).status_code == 404
    good = await copy(http, f"{web.url}/data", **put, source_content_md5=right)
    assert good.status_code == 201


async def test_conditions_are_the_sources_to_decide(http, web):
    def conditional(request):
        send(request, 412 if request.headers.get("If-Match") != '"1"' else 200, DATA)

    web.answers["/data"] = conditional
    refused = await copy(http, f"{web.url}/data", source_if_match='"2"')
    assert code(refused) == (412, "SourceConditionNotMet")
    assert (await copy(http, f"{web.url}/data", source_if_match='"1"')).status_code == 202


@pytest.mark.parametrize("status", [401, 403, 404, 409])
async def test_refusal_of_the_source_is_the_answer(http, web, status):
    web.serve("/data", b"its body is nobody's business", status=status)
    answer = await copy(http, f"{web.url}/data")
    assert code(answer) == (status, "CannotVerifyCopySource")
    assert str(status) in answer.text
    assert "business" not in answer.text


async def test_redirect_to_a_forbidden_address_ends_the_copy(http, web):
    web.redirect("/data", "http://169.254.169.254/metadata")
    answer = await copy(http, f"{web.url}/data")
    assert code(answer) == (400, "CannotVerifyCopySource")
    assert "169.254.169.254" in answer.text


async def test_source_that_breaks_off_leaves_the_blob_before_it(http, web):
    def broken(request):
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"x" * 10)
        request.close_connection = True

    web.answers["/data"] = broken
    await http.put("/mlstore/files/copy", content=b"before", headers=BLOCK)
    answer = await copy(http, f"{web.url}/data")
    assert code(answer) == (400, "CannotVerifyCopySource")
    assert await content(http) == b"before"


async def test_token_for_the_source_goes_out_encrypted_only(http, web):
    web.serve("/data", DATA)
    answer = await copy(http, f"{web.url}/data", copy_source_authorization="Bearer secret")
    assert code(answer) == (400, "CannotVerifyCopySource")
    assert web.seen == []


async def test_no_credential_of_the_request_is_passed_on(http, web):
    web.serve("/data", DATA)
    sent = {"x-ms-copy-source": f"{web.url}/data", "authorization": "Bearer mine", "cookie": "c=1"}
    assert (await http.put("/mlstore/files/copy", headers=sent)).status_code == 202
    told = {name.lower() for _, _, headers in web.seen for name in headers}
    assert not told & {"authorization", "cookie", "x-ms-copy-source"}


@pytest.mark.parametrize("url", NEVER_FETCHED)
async def test_address_that_is_not_public_is_not_asked(strict, url):
    answer = await copy(strict, url)
    assert code(answer) == (400, "CannotVerifyCopySource"), answer.text
    assert url.split("/")[2].split(":")[0].strip("[") in answer.text


@pytest.mark.parametrize("url", NO_SOURCE)
async def test_what_is_no_web_address_is_refused(strict, url):
    assert code(await copy(strict, url)) == (400, "InvalidHeaderValue")


async def test_alias_stands_for_an_address_that_cannot_be_reached(store, web):
    web.serve("/mirror/data.csv", DATA)
    rules = Rules.parse([], [f"https://published.example/set={web.url}/mirror"])
    async with client(store, rules) as http:
        answer = await copy(http, "https://published.example/set/data.csv")
        assert answer.status_code == 202, answer.text
        assert await content(http) == DATA
