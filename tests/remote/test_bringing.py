"""Data of other servers reach this machine once, whole, and only as files below their folder."""

import asyncio
import os
import time

import pytest

from lazulite.blobs.references import Shape
from lazulite.core.errors import SpecError
from lazulite.fetch.limits import Limits
from lazulite.fetch.rules import Rules
from lazulite.fetch.session import Fetcher
from lazulite.remote.background import Bringer, StillFetching
from lazulite.remote.cache import Cache
from lazulite.remote.sources import Blobs, WebFile
from tests.web import container, send, serving

PUBLIC = "https://public.blob.core.windows.net"
LIMITS = Limits(size=1 << 20, window_s=1, least=1, seconds=5, connect_s=2)


@pytest.fixture
def web():
    with serving() as web:
        yield web


@pytest.fixture
def cache(tmp_path):
    (tmp_path / "fetched").mkdir()
    return Cache(tmp_path / "fetched", 1 << 20, tuple)


@pytest.fixture
async def brought(web, cache):
    """Bring a source: a path, or the error's code and message."""
    rules = Rules.parse(["127.0.0.1"], [f"{PUBLIC}={web.url}/public"])
    bringers = []

    async def bring(source):
        bringer = Bringer(Fetcher(rules, LIMITS), cache)
        bringers.append(bringer)
        while True:
            try:
                return bringer.path(source)
            except StillFetching:
                await asyncio.sleep(0.005)

    yield bring
    for bringer in bringers:
        await bringer.close()


def files(folder):
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def fetched(web):
    return [path for method, path, _ in web.seen if method == "GET" and "comp=list" not in path]


async def test_a_file_comes_under_its_name_and_only_once(web, brought):
    web.serve("/a%20b.csv", b"1,2")
    for _ in range(2):
        path = await brought(WebFile(f"{web.url}/a%20b.csv?token=1"))
        assert (path.name, path.read_bytes()) == ("a b.csv", b"1,2")
    assert len(fetched(web)) == 1


async def test_a_file_that_changed_comes_anew_beside_the_old_one(web, brought):
    web.serve("/x", b"old", etag='"1"')
    old = await brought(WebFile(f"{web.url}/x"))
    web.serve("/x", b"new", etag='"2"')
    new = await brought(WebFile(f"{web.url}/x"))
    assert (old.read_bytes(), new.read_bytes()) == (b"old", b"new")


async def test_a_public_folder_is_listed_page_by_page_and_fetched(web, brought):
    blobs = {f"mnist/{number}/{number}.png": b"%d" % number for number in range(25)}
    container(web, "/public/sample", {**blobs, "mnist-2/x": b"other", "y": b"other"}, page=7)
    folder = await brought(Blobs(f"{PUBLIC}/sample", "mnist"))
    assert files(folder) == {
        name.removeprefix("mnist/"): data for name, data in sorted(blobs.items())
    }
    before = len(fetched(web))
    assert await brought(Blobs(f"{PUBLIC}/sample", "mnist")) == folder
    assert len(fetched(web)) == before


async def test_a_blob_alone_is_a_file(web, brought):
    container(web, "/public/sample", {"d/x.csv": b"1", "d/x.csv.bak": b"2"})
    for shape in (None, Shape.FILE):
        path = await brought(Blobs(f"{PUBLIC}/sample", "d/x.csv", shape=shape))
        assert (path.name, path.read_bytes()) == ("x.csv", b"1")


async def test_of_a_pattern_only_what_is_meant_is_fetched(web, brought):
    container(web, "/public/s", {"d/a.csv": b"1", "d/b.png": b"2", "d/e/c.csv": b"3"})
    folder = await brought(Blobs(f"{PUBLIC}/s", "d", pattern="*.csv"))
    assert files(folder) == {"a.csv": b"1"}
    folder = await brought(Blobs(f"{PUBLIC}/s", "d", pattern="**/*.csv"))
    assert files(folder) == {"a.csv": b"1", "e/c.csv": b"3"}
    assert not any("png" in path for path in fetched(web))


async def test_marks_of_folders_are_left_out(web, brought):
    container(web, "/public/s", {"d": b"", "d/e": b"", "d/e/": b"", "d/e/x": b"1"})
    folder = await brought(Blobs(f"{PUBLIC}/s", "d", shape=Shape.FOLDER))
    assert files(folder) == {"e/x": b"1"}


async def test_a_signature_goes_along_and_is_not_told(web, brought, caplog):
    container(web, "/public/s", {"d/x": b"1"})
    await brought(Blobs(f"{PUBLIC}/s", "d", "sv=1&sig=hidden%2B"))
    assert all("sig=hidden%2B" in path for _, path, _ in web.seen)
    source = Blobs(f"{PUBLIC}/s", "none", "sv=1&sig=hidden")
    with pytest.raises(SpecError) as error:
        await brought(source)
    assert "hidden" not in f"{error.value} {source!r} {caplog.text}"


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "./x", "a//x", "\\x", "a\\..\\x", "x" * 300, "/etc/passwd"]
)
async def test_a_name_that_would_leave_the_folder_is_refused(web, brought, tmp_path, name):
    container(web, "/public/s", {f"d/{name}": b"1", "d/good": b"2"})
    with pytest.raises(SpecError) as error:
        await brought(Blobs(f"{PUBLIC}/s", "d", shape=Shape.FOLDER))
    assert error.value.code == "DataNotReachable"
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "blobs", [{"d/a": b"1", "d/a/b": b"2"}, {}, {"dx": b"1"}], ids=["clash", "none", "other"]
)
async def test_what_can_be_no_folder_is_told(web, brought, blobs):
    container(web, "/public/s", blobs)
    with pytest.raises(SpecError) as error:
        await brought(Blobs(f"{PUBLIC}/s", "d"))
    assert error.value.code == "DataNotReachable"


@pytest.mark.parametrize(
    "page",
    [
        b"<x",
        b'<!DOCTYPE x [<!ENTITY a "b">]><EnumerationResults>&a;</EnumerationResults>',
        b"",
        b"<html/>",
    ],
)
async def test_a_list_that_is_none_is_told(web, brought, page):
    web.answers["/public/s"] = lambda request: send(request, 200, page)
    with pytest.raises(SpecError) as error:
        await brought(Blobs(f"{PUBLIC}/s", "d"))
    assert error.value.code == "DataNotReachable"


@pytest.mark.parametrize("status", [401, 403, 404, 409, 500])
async def test_the_status_of_the_other_server_is_told(web, brought, status):
    web.serve("/x", b"", status=status)
    web.answers["/public/s"] = lambda request: send(request, status, b"")
    for source in (WebFile(f"{web.url}/x"), Blobs(f"{PUBLIC}/s", "d")):
        with pytest.raises(SpecError, match=str(status)) as error:
            await brought(source)
        assert error.value.code == "DataNotReachable"


async def test_a_broken_folder_goes_on_with_what_is_missing(web, brought):
    container(web, "/public/s", {f"d/{number}": b"x" * 100 for number in range(20)})
    good, web.answers["/public/s/d/7"] = (
        web.answers["/public/s/d/7"],
        lambda request: send(request, 403, b""),
    )
    with pytest.raises(SpecError):
        await brought(Blobs(f"{PUBLIC}/s", "d"))
    had = {path for path in fetched(web) if not path.endswith("/7")}
    web.answers["/public/s/d/7"] = good
    web.seen.clear()
    assert len(files(await brought(Blobs(f"{PUBLIC}/s", "d")))) == 20
    assert not had & set(fetched(web))


@pytest.mark.parametrize(
    "names",
    [
        [f"{'x' * 200}{number}" for number in range(16)],
        ["a", ".a.part", ".a.etag"],
        ["\u3042" * 84, "\u3042" * 85],
    ],
    ids=["one-beginning", "as-parts", "long"],
)
async def test_names_of_files_get_in_no_other_files_way(web, brought, names):
    blobs = {f"d/{name}": name.encode() * 100 for name in names}
    container(web, "/public/s", blobs)
    found = files(await brought(Blobs(f"{PUBLIC}/s", "d", shape=Shape.FOLDER)))
    assert found == {name: blobs[f"d/{name}"] for name in sorted(names)}


async def test_a_broken_file_goes_on_where_it_ended(web, brought, tmp_path):
    data = bytes(range(256)) * 1000
    container(web, "/public/s", {"d/x": data})
    good = web.answers["/public/s/d/x"]

    def breaking(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.send_header("ETag", '"1"')
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(data[:1000])
            web.answers["/public/s/d/x"] = good
        request.close_connection = True

    web.answers["/public/s/d/x"] = breaking
    folder = await brought(Blobs(f"{PUBLIC}/s", "d"))
    assert files(folder) == {"x": data}
    ranges = [headers.get("Range") for _, path, headers in web.seen if "/d/x" in path]
    assert ranges[-1] == "bytes=1000-"
    assert sorted(path.name for path in folder.parent.iterdir()) == ["data", "entry.json"]


async def test_a_server_that_stumbles_is_asked_again(web, brought):
    web.serve("/x", b"data")
    good, tries = web.answers["/x"], []

    def stumbling(request):
        tries.append(request.command)
        send(request, 503, b"") if tries.count("GET") == 1 else good(request)

    web.answers["/x"] = stumbling
    assert (await brought(WebFile(f"{web.url}/x"))).read_bytes() == b"data"


async def test_the_cache_is_bounded_and_keeps_what_is_in_use(web, brought, cache):
    used = set()
    cache.limit, cache._in_use = 2500, lambda: used
    old = time.time() - 10_000
    paths = []
    for number in range(2):
        web.serve(f"/{number}", b"x" * 1000)
        paths.append(await brought(WebFile(f"{web.url}/{number}")))
        os.utime(paths[-1].parent.parent / "entry.json", (old + number, old + number))
    used.add(paths[0].parent.parent.name)
    web.serve("/2", b"x" * 1000)
    assert (await brought(WebFile(f"{web.url}/2"))).exists()
    assert [path.exists() for path in paths] == [True, False]
    web.serve("/3", b"x" * 2000)
    with pytest.raises(SpecError, match="LAZULITE_FETCHED_GIB") as error:
        await brought(WebFile(f"{web.url}/3"))
    assert error.value.code == "DataTooLarge"
    assert [path.exists() for path in paths] == [True, False]


async def test_an_address_that_is_not_allowed_is_told(brought):
    with pytest.raises(SpecError) as error:
        await brought(WebFile("http://127.0.0.2:1/x"))
    assert error.value.code == "UrlNotAllowed"
