"""Where data URIs lead, and where they must not."""

import pytest
import sqlalchemy as sa

from lazulite.core.clock import utc_now
from lazulite.core.errors import SpecError
from lazulite.deployments.places import DataPlaces
from lazulite.store.database import close_database, open_database
from lazulite.store.resources import Draft, Resources
from lazulite.store.schema import resources

SCOPE = "/subscriptions/s/resourceGroups/g/providers"
ML = "Microsoft.MachineLearningServices"
WORKSPACE = f"{SCOPE}/{ML}/workspaces/w"
STORE = {"datastoreType": "AzureBlob", "accountName": "mine", "containerName": "data"}


@pytest.fixture
async def places(tmp_path):
    engine = await open_database(tmp_path / "state.db")
    rows = Resources(engine, utc_now)

    async def make(resource_type, arm_id, properties):
        draft = Draft(resource_type=resource_type, id=arm_id, properties=properties)
        await rows.put(draft, "me")

    await make(f"{ML}/workspaces", WORKSPACE, {})
    await observe(engine, WORKSPACE, {"account": "mine"})
    for account in ("mine", "theirs"):
        storage = f"{SCOPE}/Microsoft.Storage/storageAccounts/{account}"
        await make("Microsoft.Storage/storageAccounts", storage, {})
    await make(f"{ML}/workspaces/datastores", f"{WORKSPACE}/datastores/store", STORE)
    theirs = {**STORE, "accountName": "theirs"}
    await make(f"{ML}/workspaces/datastores", f"{WORKSPACE}/datastores/other", theirs)
    data = {"dataUri": "azureml://datastores/store/paths/images"}
    await make(f"{ML}/workspaces/data/versions", f"{WORKSPACE}/data/pics/versions/1", data)
    yield DataPlaces(rows, tmp_path, frozenset({"https://localhost:8443"}), "core.local")
    await close_database(engine)


async def observe(engine, arm_id, observed):

    change = sa.update(resources).where(resources.c.id == arm_id).values(observed=observed)
    async with engine.begin() as tx:
        await tx.execute(change)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("azureml://datastores/store/paths/a/b.csv", "mine/data/a/b.csv"),
        (f"azureml:/{WORKSPACE}/datastores/store/paths/a", "mine/data/a"),
        ("folder:azureml://datastores/STORE/paths/a", "mine/data/a"),
        ("https://localhost:8443/mine.blob.core.local/data/x", "mine/data/x"),
        ("azureml:pics:1", "mine/data/images"),
        ("azureml:pics@latest", "mine/data/images"),
        (f"{WORKSPACE}/data/pics/versions/1", "mine/data/images"),
        (f"{WORKSPACE}/data/pics/versions/labels/latest", "mine/data/images"),
        ("azureml://locations/l/workspaces/W/data/pics/versions/labels/latest", "mine/data/images"),
    ],
)
async def test_every_form_leads_to_the_file(places, uri, path):
    assert await places.locate(WORKSPACE, uri) == places.root / path


@pytest.mark.parametrize(
    "uri",
    [
        "https://localhost:8443/theirs/data/secret",
        "azureml://datastores/other/paths/secret",
        "azureml://datastores/none/paths/x",
        "azureml:pics:2",
        "https://example.com/data.csv",
        "azureml://datastores/store/paths/../../theirs/data",
        "/etc/passwd",
        "file:///etc/passwd",
    ],
)
async def test_nothing_leads_elsewhere(places, uri):
    with pytest.raises(SpecError):
        await places.locate(WORKSPACE, uri)
