"""Lists: pages that writes do not disturb, filters, orders. Source: spec/REST.md 2.6."""

import contextlib

import httpx2
import pytest
from sqlalchemy import event

LATER = "2023-10-01"
URI = "azureml://datastores/workspaceblobstore/paths/m/model.pkl"
VERSIONS = "/models/m/versions"


async def names(plane, path, **query):
    answer = await plane.call("GET", path, **query)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["value"]]


async def fill(plane, *rows, path=VERSIONS):
    for number, properties in enumerate(rows, 1):
        made = await plane.put(f"{path}/{number}", {"modelUri": URI, **properties})
        assert made.status_code == 201, made.text


async def pages(plane, between, **query):
    """The names of each page; between is awaited before the next one is asked for."""
    page = (await plane.call("GET", VERSIONS, **query)).json()
    headers = {"authorization": f"Bearer {plane.bearer}"}
    while True:
        yield [item["name"] for item in page["value"]], page["nextLink"]
        if page["nextLink"] is None:
            return
        await between()
        page = (await plane.client.get(httpx2.URL(page["nextLink"]), headers=headers)).json()


@pytest.mark.parametrize("order", ["createdtime asc", "createdtime desc", "version desc"])
async def test_pages_are_whole_whatever_is_written_meanwhile(plane, order):
    await fill(plane, *[{}] * 7)
    written = iter(range(100, 200))

    async def write():
        await plane.put(f"{VERSIONS}/{next(written)}", {"modelUri": URI})
        await plane.call("DELETE", f"{VERSIONS}/4")

    seen = []
    async for page, _ in pages(plane, write, **{"$top": "3", "$orderBy": order}):
        assert len(page) <= 3
        seen += page
    assert len(seen) == len(set(seen))
    descending = order.endswith("desc")
    kept = [name for name in seen if int(name) < 100 and name != "4"]
    assert kept == sorted("123567", reverse=descending)


async def nothing():
    pass


async def test_the_next_link_is_absolute_and_keeps_the_query_as_it_was_spelled(plane):
    await fill(plane, *[{"tags": {"a b": "c&d"}}] * 3)
    query = {"$top": "1", "$orderBy": "createdtime desc", "listViewType": "All", "tags": "a b=c&d"}
    links = [link async for _, link in pages(plane, nothing, **query, offset="1")]
    assert len(links) == 2
    url = httpx2.URL(links[0])
    assert str(url).startswith(f"https://localhost:8443{plane.workspace}{VERSIONS}?")
    kept = dict(url.params)
    assert kept.pop("$skip")
    assert kept == {"api-version": "2021-10-01", **query}


SENSELESS = (
    {"$skip": "10"},
    {"$skip": "%%%"},
    {"$skip": "bm90aGluZw=="},
    {"$skip": "MDAwMS0wMS0wMVQwMDowMDowMCsyMzo1OXx4"},
    {"$skip": "é" * 50},
    {"$top": "0"},
    {"$top": "-1"},
    {"$top": "²"},
    {"$top": "9" * 5000},
    {"count": "many"},
    {"offset": "1.5"},
    {"tags": ",".join(f"k{n}" for n in range(101))},
)


async def test_what_no_list_can_mean_is_refused(plane):
    for query in SENSELESS:
        answer = await plane.call("GET", VERSIONS, **query)
        found = (answer.status_code, answer.json()["error"]["code"])
        assert found == (400, "BadArgument"), query


ROWS = (
    {"tags": {"stage": "test", "日本": "語"}, "description": "A red Flower"},
    {"tags": {"stage": "live"}, "properties": {"k.x[0]": "v"}},
    {"tags": {"stage": "live", "hot": ""}, "description": "100% _sure_"},
)


FILTERED = (
    ({"tags": "stage=live"}, "23"),
    ({"tags": "stage"}, "123"),
    ({"tags": "stage=live,hot"}, "3"),
    ({"tags": "日本=語"}, "1"),
    ({"tags": 'a"b'}, ""),
    ({"tags": "a\\b=c"}, ""),
    ({"tags": "' OR 1=1--"}, ""),
    ({"properties": "k.x[0]=v"}, "2"),
    ({"version": "2"}, "2"),
    ({"description": "flower"}, "1"),
    ({"description": "%"}, "3"),
    ({"description": "_"}, "3"),
    ({"offset": "1"}, "23"),
    ({"$orderBy": "name desc"}, "321"),
    ({"$orderBy": "' OR 1=1--"}, "123"),
    ({"$orderBy": "a" * 50_000 + "!"}, "123"),
    ({"orderBy": "CreatedAtDesc"}, "321"),
    ({"orderBy": "UpdatedAtAsc"}, "231"),
    ({"unknown": "ignored", "feed": "x"}, "123"),
)


async def test_versions_are_filtered_and_ordered(plane):
    await fill(plane, *ROWS)
    await plane.put(f"{VERSIONS}/1", {"modelUri": URI, **ROWS[0], "properties": {"later": "1"}})
    for query, expected in FILTERED:
        assert "".join(await names(plane, VERSIONS, **query)) == expected, query


STORES = (
    ({"isDefault": "true"}, ["workspaceblobstore"]),
    ({"isDefault": "false"}, ["workspaceartifactstore", "workspacefilestore"]),
    ({"names": "WorkspaceBlobStore, none"}, ["workspaceblobstore"]),
    ({"searchText": "FILE"}, ["workspacefilestore"]),
    ({"orderBy": "name", "orderByAsc": "false", "count": "1"}, ["workspacefilestore"]),
    ({"orderByAsc": "false", "count": "30", "names": ""}, None),
)


async def test_datastores_are_filtered(plane):
    every = ["workspaceblobstore", "workspaceartifactstore", "workspacefilestore"]
    for query, expected in STORES:
        assert await names(plane, "/datastores", **query) == (expected or every), query


async def test_endpoints_are_filtered(plane):
    await plane.put("/onlineEndpoints/one", {"authMode": "Key"}, tags={"a": "1"})
    await plane.put("/onlineEndpoints/two", {"authMode": "Key"}, tags={"b": "1"})
    for query, expected in (
        ({"name": "TWO"}, ["two"]),
        ({"computeType": "managed"}, ["one", "two"]),
        ({"computeType": "Kubernetes"}, []),
        ({"tags": "a=1"}, ["one"]),
        ({"orderBy": "CreatedAtDesc", "count": "1"}, ["two"]),
    ):
        assert await names(plane, "/onlineEndpoints", **query) == expected, query


async def test_schedules_are_listed_while_enabled(plane):
    trigger = {"triggerType": "Cron", "expression": "0 8 * * *"}
    action = {"actionType": "CreateMonitor", "monitorDefinition": {}}
    for name, enabled in (("on", True), ("off", False)):
        properties = {"trigger": trigger, "action": action, "isEnabled": enabled}
        made = await plane.call("PUT", f"/schedules/{name}", {"properties": properties}, api=LATER)
        assert made.status_code in {200, 201}, made.text
    for view, expected in (
        ("EnabledOnly", ["on"]),
        ("disabledonly", ["off"]),
        ("All", ["on", "off"]),
    ):
        assert await names(plane, "/schedules", api=LATER, listViewType=view) == expected
    assert await names(plane, "/schedules", api=LATER) == ["on"]


async def test_code_is_found_by_its_hash_under_any_name(plane):
    code = {"codeUri": URI, "properties": {"hash_sha256": "abc", "hash_version": 202208}}
    made = await plane.put("/codes/known/versions/1", code)
    path = "/codes/7e7d5a1c-0000-4000-8000-000000000000/versions"
    (found,) = (await plane.call("GET", path, hash="abc", hashVersion="202208")).json()["value"]
    assert found["id"] == made.json()["id"]
    assert await names(plane, path, hash="other") == []
    assert await names(plane, path) == []


async def test_a_container_counts_its_versions_by_number_and_by_time(plane):
    for name in ("2", "10", "1", "v3", "0" * 30):
        await plane.put(f"{VERSIONS}/{name}", {"modelUri": URI})
    shown = (await plane.call("GET", "/models")).json()["value"][0]["properties"]
    assert (shown["latestVersion"], shown["nextVersion"]) == ("0" * 30, "11")


@contextlib.contextmanager
def listening(target, name, function):
    event.listen(target, name, function)
    yield
    event.remove(target, name, function)


QUERIES = {
    "page": lambda r, w: r.children(w, "T"),
    "type": lambda r, w: r.of_type("T", w),
    "name": lambda r, w: r.named("T", "n"),
    "newest": lambda r, w: r.newest(w, "T"),
    "counted": lambda r, w: r.counted([w], "T"),
    "one": lambda r, w: r.find(w),
}


async def test_no_lookup_reads_past_an_index(plane):
    """SCAN in the plan would mean every row; a sort would mean every row of a list."""
    seen = []

    def note(connection, cursor, statement, parameters, context, many):
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    engine = plane.base.resources._reader
    with listening(engine.sync_engine, "before_cursor_execute", note):
        for query in QUERIES.values():
            await query(plane.base.resources, plane.workspace)
    async with engine.connect() as connection:
        for name, (statement, parameters) in zip(QUERIES, seen, strict=True):
            plan = await connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)
            steps = [row[3] for row in plan]
            assert not [step for step in steps if step.startswith("SCAN")], (name, steps)
            sorts = [step for step in steps if "TEMP B-TREE" in step]
            assert not sorts or name in {"type", "name"}, (name, steps)


async def test_groups_are_found_by_their_tags(plane):
    subscription = plane.workspace.partition("/resourceGroups/")[0]
    for name, tags in (("one", {"team": "it's"}), ("two", {"team": "b"}), ("three", {})):
        body = {"location": "local", "tags": tags}
        await plane.call("PUT", f"{subscription}/resourceGroups/{name}", body)

    async def found(text):
        answer = await plane.call("GET", f"{subscription}/resourcegroups", **{"$filter": text})
        return answer.json().get("error") or [one["name"] for one in answer.json()["value"]]

    assert await found("tagName eq 'team'") == ["one", "two"]
    assert await found("tagname eq 'team' and tagvalue eq 'it''s'") == ["one"]
    assert await found("tagname eq 'team' and tagvalue eq 'c'") == []
    assert len(await found("")) == 4
    assert (await found("name eq 'one'"))["code"] == "InvalidFilterInQueryString"
