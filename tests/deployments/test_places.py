"""Where data URIs lead, and where they must not."""

import asyncio
import base64
from datetime import timedelta

import pytest
import sqlalchemy as sa

from lazulite.blobs.signatures import Grant, sign_blob, sign_container
from lazulite.core.clock import utc_now
from lazulite.core.errors import SpecError
from lazulite.datastores.folders import LocalFolders
from lazulite.datastores.reading import Readers
from lazulite.deployments.blob_paths import InPlace
from lazulite.deployments.places import DataPlaces, Root
from lazulite.deployments.resolving import Resolver
from lazulite.fetch.rules import Rules
from lazulite.fetch.session import Fetcher
from lazulite.identity.sealing import SecretBox
from lazulite.remote.background import Bringer, StillFetching
from lazulite.remote.cache import Cache
from lazulite.store.database import close_database, open_database
from lazulite.store.resources import Draft, Resources
from lazulite.store.schema import resources
from tests.web import container, serving

SCOPE = "/subscriptions/s/resourceGroups/g/providers"
ML = "Microsoft.MachineLearningServices"
WORKSPACE = f"{SCOPE}/{ML}/workspaces/w"
STORE = {"datastoreType": "AzureBlob", "accountName": "mine", "containerName": "data"}
THEIRS = {**STORE, "accountName": "theirs"}
KEY, WRONG = b"k" * 64, b"w" * 64
BOX = SecretBox(b"0" * 32)
PUBLIC = "https://public.blob.core.windows.net"


class Rows:
    """Rows of a workspace, as the API would have written them."""

    def __init__(self, engine):
        self.resources, self.engine = Resources(engine, utc_now), engine

    async def make(self, resource_type, arm_id, properties, secrets=None):
        draft = Draft(
            resource_type=resource_type, id=arm_id, properties=properties, secrets=secrets or {}
        )
        await self.resources.put(draft, "me")

    async def store(self, name, properties, kind="None", secret=None):
        secrets = {"credential": BOX.seal(secret.encode())} if secret else {}
        properties = {**properties, "credentials": {"credentialsType": kind}}
        path = f"{WORKSPACE}/datastores/{name}"
        await self.make(f"{ML}/workspaces/datastores", path, properties, secrets)

    async def data(self, name, **properties):
        path = f"{WORKSPACE}/data/{name}/versions/1"
        await self.make(f"{ML}/workspaces/data/versions", path, properties)

    async def observe(self, arm_id, observed):
        change = sa.update(resources).where(resources.c.id == arm_id).values(observed=observed)
        async with self.engine.begin() as tx:
            await tx.execute(change)


@pytest.fixture
async def rows(tmp_path):
    engine = await open_database(tmp_path / "state.db")
    rows = Rows(engine)
    await rows.make(f"{ML}/workspaces", WORKSPACE, {})
    await rows.observe(WORKSPACE, {"account": "mine"})
    for account in ("mine", "theirs"):
        storage = f"{SCOPE}/Microsoft.Storage/storageAccounts/{account}"
        await rows.make("Microsoft.Storage/storageAccounts", storage, {})
    await rows.store("store", STORE)
    await rows.store("other", THEIRS)
    await rows.data("pics", dataUri="azureml://datastores/store/paths/images")
    yield rows
    await close_database(engine)


@pytest.fixture
def web():
    with serving() as web:
        yield web


@pytest.fixture
async def places(tmp_path, rows, web):
    rules = Rules.parse(
        [],
        [f"{PUBLIC}={web.url}/public", "https://mirrored.example=https://localhost:8443/mine/data"],
    )
    (tmp_path / "fetched").mkdir()
    fetcher = Fetcher(rules)
    bringer = Bringer(fetcher, Cache(tmp_path / "fetched", 1 << 20, tuple))
    readers = Readers(rows.resources, BOX, LocalFolders((tmp_path / "allowed",)))
    origins = frozenset({"https://localhost:8443"})
    resolver = Resolver(rows.resources, readers, rules, origins, "core.local")

    async def keys(account):
        return [KEY] if account == "theirs" else []

    yield DataPlaces(resolver, InPlace(tmp_path), keys, bringer)
    await bringer.close()


async def there(ask, *given):
    """The answer once the data are there."""
    while True:
        try:
            return await ask(WORKSPACE, *given)
        except StillFetching:
            await asyncio.sleep(0.005)


def sas(sign, path, permissions="rl", days=1, key=KEY):
    return sign("theirs", key, Grant(permissions, utc_now() + timedelta(days=days)), path)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("azureml://datastores/store/paths/a/b.csv", "mine/data/a/b.csv"),
        (f"azureml:/{WORKSPACE}/datastores/store/paths/a", "mine/data/a"),
        ("folder:azureml://datastores/STORE/paths/a", "mine/data/a"),
        ("https://localhost:8443/data/images", "mine/data/images"),  # as clients lose accounts
        ("https://localhost:8443/mine.blob.core.local/data/x", "mine/data/x"),
        ("https://mirrored.example/x", "mine/data/x"),
        ("azureml:pics:1", "mine/data/images"),
        ("azureml:pics@latest", "mine/data/images"),
        (f"{WORKSPACE}/data/pics/versions/1", "mine/data/images"),
        (f"{WORKSPACE}/data/pics/versions/labels/latest", "mine/data/images"),
        ("azureml://locations/l/workspaces/W/data/pics/versions/labels/latest", "mine/data/images"),
    ],
)
async def test_every_form_leads_to_the_file(places, uri, path):
    assert await places.locate(WORKSPACE, uri) == places.blobs.root / path


@pytest.mark.parametrize(
    "uri",
    [
        "https://localhost:8443/theirs/data/secret",
        "azureml://datastores/other/paths/secret",
        "azureml://datastores/none/paths/x",
        "azureml:pics:2",
        "https://10.0.0.1/data.csv",
        "folder:https://93.184.216.34/data",
        "azureml://datastores/store/paths/../../theirs/data",
        "/etc/passwd",
        "file:///etc/passwd",
    ],
)
async def test_nothing_leads_elsewhere(places, uri):
    with pytest.raises(SpecError):
        await there(places.locate, uri)


@pytest.mark.parametrize(
    ("kind", "secret", "opens"),
    [
        ("AccountKey", base64.b64encode(KEY).decode(), True),
        ("AccountKey", base64.b64encode(WRONG).decode(), False),
        ("AccountKey", "no base64", False),
        ("Sas", "?" + sas(sign_container, "data"), True),
        ("Sas", sas(sign_container, "data", "r"), False),
        ("Sas", sas(sign_container, "others"), False),
        ("Sas", sas(sign_container, "data", key=WRONG), False),
        ("Sas", sas(sign_container, "data", days=-1), False),
        ("None", None, False),
    ],
)
async def test_another_account_is_read_with_a_credential_that_opens_it(
    places, rows, kind, secret, opens
):
    (places.blobs.root / "theirs" / "data" / "a").mkdir(parents=True)
    await rows.store("shared", THEIRS, kind, secret)
    uri = "azureml://datastores/shared/paths/a"
    if opens:
        assert await places.locate(WORKSPACE, uri) == places.blobs.root / "theirs/data/a"
    else:
        with pytest.raises(SpecError) as error:
            await places.locate(WORKSPACE, uri)
        assert error.value.code == "DataNotReachable"
    with pytest.raises(SpecError):  # what may be read may not be written
        await places.writable(WORKSPACE, uri, "a job")


async def test_a_signature_in_a_url_opens_what_it_is_for(places):
    (places.blobs.root / "theirs" / "data").mkdir(parents=True)
    url = "https://localhost:8443/theirs/data"
    for name in ("x", "y"):
        (places.blobs.root / "theirs" / "data" / name).write_text(name)
    signed = sas(sign_blob, "data/x", "r")
    assert (await places.locate(WORKSPACE, f"{url}/x?{signed}")).read_text() == "x"
    with pytest.raises(SpecError):
        await places.locate(WORKSPACE, f"{url}/y?{signed}")
    with pytest.raises(SpecError):
        await places.locate(WORKSPACE, f"{url}?{signed}")


async def test_a_foreign_container_is_fetched(places, rows, web):
    container(web, "/public/c", {"d/x.csv": b"1", "d/y.png": b"2"})
    await rows.store("foreign", {**STORE, "accountName": "public", "containerName": "c"})
    for uri in (
        "azureml://datastores/foreign/paths/d",
        f"{PUBLIC}/c/d",
        "wasbs://c@public.blob.core.windows.net/d",
    ):
        folder = await there(places.locate, uri)
        assert sorted(path.name for path in folder.iterdir()) == ["x.csv", "y.png"]
    (root,) = await there(places.roots, f"{PUBLIC}/c/d/*.csv", "uri_folder")
    assert [path.name for path in root.path.iterdir()] == ["x.csv"]
    assert not root.pattern


async def test_the_key_of_a_foreign_account_becomes_a_signature(places, rows, web):
    container(web, "/public/c", {"x": b"1"})
    store = {**STORE, "accountName": "public", "containerName": "c"}
    await rows.store("foreign", store, "AccountKey", base64.b64encode(KEY).decode())
    await there(places.locate, "azureml://datastores/foreign/paths/x")
    assert all("sig=" in path for _, path, _ in web.seen)


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ({**STORE, "accountName": "public"}, "ServicePrincipal"),
        ({"datastoreType": "AzureFile", "accountName": "public", "fileShareName": "s"}, "None"),
        ({"datastoreType": "AzureDataLakeGen2", "accountName": "mine", "filesystem": "f"}, "None"),
        ({"datastoreType": "Hdfs"}, "None"),
    ],
)
async def test_a_datastore_that_is_only_a_record_says_why(places, rows, properties, kind):
    await rows.store("record", properties, kind)
    with pytest.raises(SpecError, match="record") as error:
        await places.locate(WORKSPACE, "azureml://datastores/record/paths/x")
    assert error.value.code == "DataNotReachable"


async def test_a_share_of_an_own_account_is_the_container_of_its_name(places, rows):
    share = {"datastoreType": "AzureFile", "accountName": "mine", "fileShareName": "share"}
    await rows.store("files", share)
    path = await places.locate(WORKSPACE, "azureml://datastores/files/paths/a")
    assert path == places.blobs.root / "mine/share/a"


async def test_an_allowed_folder_is_read_and_written_in_place(places, rows, tmp_path):
    folder = tmp_path / "allowed" / "data"
    (folder / "a").mkdir(parents=True)
    await rows.store("local", {"datastoreType": "LocalFolder", "folder": str(folder)})
    uri = "azureml://datastores/local/paths/a"
    assert await places.locate(WORKSPACE, uri) == folder / "a"
    assert await places.writable(WORKSPACE, uri, "a job") == folder / "a"


async def test_no_link_leads_out_of_an_allowed_folder(places, rows, tmp_path):
    folder = tmp_path / "allowed" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    await rows.store("local", {"datastoreType": "LocalFolder", "folder": str(folder)})
    await rows.store("linked", {"datastoreType": "LocalFolder", "folder": str(folder / "link")})
    for uri in ("azureml://datastores/local/paths/link/x", "azureml://datastores/linked/paths/x"):
        with pytest.raises(SpecError):
            await places.locate(WORKSPACE, uri)
        with pytest.raises(SpecError):
            await places.writable(WORKSPACE, uri, "a job")


async def test_a_dataset_of_several_paths_is_all_of_them(places, rows):
    await rows.data(
        "several",
        dataUri="azureml://datastores/store/paths/a",
        paths=[
            {"folder": "azureml://datastores/store/paths/a", "file": None},
            {"folder": "azureml://datastores/store/paths/b/*.csv", "file": None},
            {"folder": None, "file": "azureml://datastores/store/paths/c.csv"},
        ],
    )
    top = places.blobs.root / "mine" / "data"
    roots = await places.roots(WORKSPACE, "azureml:several:1", "uri_folder")
    assert roots == [Root(top / "a"), Root(top / "b", "*.csv"), Root(top / "c.csv")]
    with pytest.raises(SpecError) as error:
        await places.locate(WORKSPACE, "azureml:several:1")
    assert error.value.code == "SeveralPlaces"


TABLE = """
$schema: https://example.org/MLTable.schema.json
type: mltable
paths:
  - file: ./a.csv
  - folder: more
  - pattern: ./parts/*/x-*.csv
  - pattern: azureml://datastores/store/paths/other/*.csv
transformations:
  - read_delimited: {delimiter: ","}
"""


async def test_a_table_is_the_files_that_it_lists(places, rows):
    top = places.blobs.root / "mine" / "data"
    (top / "table").mkdir(parents=True)
    (top / "table" / "MLTable").write_text(TABLE)
    await rows.data("t", dataUri="azureml://datastores/store/paths/table", dataType="mltable")
    wanted = [
        Root(top / "table/a.csv"),
        Root(top / "table/more"),
        Root(top / "table/parts", "*/x-*.csv"),
        Root(top / "other", "*.csv"),
    ]
    assert await places.roots(WORKSPACE, "azureml:t:1", "uri_folder") == wanted
    uri = "azureml://datastores/store/paths/table"
    assert await places.roots(WORKSPACE, uri, "mltable") == wanted
    assert await places.locate(WORKSPACE, "azureml:t:1") == top / "table"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 10_000,
        "paths: x",
        "paths: []",
        "paths: [{file: 1}]",
        "paths: [{file: a, folder: b}]",
        "paths: [{file: ../x}]",
        "paths: [{pattern: ../../*/x}]",
        "paths: [{folder: /etc}]",
        "paths: [{file: 'file:///etc/passwd'}]",
        "!!python/object/apply:os.system ['id']",
        "paths: [{file: !!python/name:os.system x}]",
        "paths: [" + "{file: a}," * 10_000 + "]",
        "a: &a [x]\npaths: *b",
    ],
)
async def test_a_table_that_cannot_be_used_is_refused(places, rows, text):
    top = places.blobs.root / "mine" / "data" / "table"
    top.mkdir(parents=True)
    (top / "MLTable").write_text(text)
    with pytest.raises(SpecError) as error:
        await places.roots(WORKSPACE, "azureml://datastores/store/paths/table", "mltable")
    assert error.value.code in {"InvalidTable", "InvalidDataUri"}


@pytest.mark.parametrize(
    "uri", ["https://example.com/x", f"{PUBLIC}/c/x", "azureml://datastores/store/paths/*"]
)
async def test_an_output_goes_to_a_folder_of_this_server_only(places, uri):
    with pytest.raises(SpecError) as error:
        await places.writable(WORKSPACE, uri, "a job")
    assert error.value.code == "OutputNotWritable"


async def test_a_link_that_leads_out_of_its_container_is_not_followed(places, tmp_path):
    container, secret = tmp_path / "mine/data", tmp_path / "keys"
    container.mkdir(parents=True)
    secret.mkdir()
    (container / "inside").mkdir()
    (container / "good").symlink_to("inside")
    (container / "bad").symlink_to(secret)
    store = "azureml://datastores/store/paths"
    assert await places.locate(WORKSPACE, f"{store}/good") == container / "inside"
    for path in (f"{store}/bad", f"{store}/bad/new/folder"):
        with pytest.raises(SpecError, match="leads out of its container by a link") as error:
            await places.locate(WORKSPACE, path)
        assert error.value.code == "LinkNotFollowed"
        with pytest.raises(SpecError, match="leads out of its container by a link"):
            await places.writable(WORKSPACE, path, "writer")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("ExperimentRun/dcid.j/logs", "uri_folder"),
        ("a/../ExperimentRun/dcid.j", "uri_folder"),
        ("linked/dcid.j", "uri_folder"),
        ("", "uri_folder"),
        ("file.txt", "uri_file"),
    ],
)
async def test_an_output_goes_to_no_folder_of_runs(places, rows, tmp_path, path, kind):
    await rows.store("artifacts", {**STORE, "containerName": "azureml"})
    (tmp_path / "mine/azureml").mkdir(parents=True)
    (tmp_path / "mine/azureml/linked").symlink_to("ExperimentRun")
    uri = f"azureml://datastores/artifacts/paths/{path}"
    with pytest.raises(SpecError) as error:
        await places.output(WORKSPACE, uri, "a job", kind)
    assert error.value.code in {"OutputNotWritable", "InvalidDataUri"}


async def test_a_file_at_the_top_of_a_container_opens_no_other_container(places):
    with pytest.raises(SpecError):
        await places.output(WORKSPACE, "azureml://datastores/store/paths/", "a job", "uri_file")


async def test_an_output_beside_the_folders_of_runs_is_fine(places, rows, tmp_path):
    await rows.store("artifacts", {**STORE, "containerName": "azureml"})
    uri = "azureml://datastores/artifacts/paths/out"
    assert await places.output(WORKSPACE, uri, "a job", "uri_folder") == (
        tmp_path / "mine/azureml/out"
    )
