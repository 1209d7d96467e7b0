"""What a server does by itself: old environments go if a setting says so, and the like."""

from datetime import timedelta

import pytest

from lazulite.app.landscape import furnish_all
from lazulite.app.upkeep import limits_of
from lazulite.core.ids import ML
from lazulite.core.settings import SettingError, read_settings
from lazulite.environments.cache import Limits
from lazulite.environments.curated import CURATED
from lazulite.store.resources import Draft

KIND = f"{ML}/workspaces/environments"


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ({}, None),
        ({"environments_days": "30"}, Limits(age=timedelta(days=30))),
        ({"environments_gib": "0.5"}, Limits(size=1 << 29)),
        ({"environments_days": 1, "environments_gib": 2},
         Limits(age=timedelta(days=1), size=2 << 30)),
    ],
)  # fmt: skip
def test_environments_are_limited_as_the_settings_say(given, limits):
    assert limits_of(read_settings({}, **given)) == limits


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"environments_days": "-1"}, "--environments-days is -1.0"),
        ({"environments_gib": "nan"}, "--environments-gib is nan"),
        ({"python_downloads": "often"}, "must be auto or never"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given, fault):
    with pytest.raises(SettingError, match=fault):
        read_settings({}, **given)


async def test_workspaces_of_an_older_server_get_curated_environments(plane):
    resources = plane.base.resources
    for name in CURATED:
        await resources.delete(f"{plane.workspace}/environments/{name}", "an older server")
    assert (await plane.call("GET", "/environments")).json()["value"] == []

    kept = f"{plane.workspace}/environments/{next(iter(CURATED))}"
    await resources.put(Draft(resource_type=KIND, id=kept, properties={}), "an older server")

    await furnish_all(resources)
    await furnish_all(resources)

    assert (await resources.find(kept)).created_by == "an older server"
    assert len((await plane.call("GET", "/environments")).json()["value"]) == len(CURATED)
