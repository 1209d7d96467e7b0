"""The cache of a real server: what a deployment uses stays, whatever is asked for."""

import os

from tests.live import wait_for

SCORE = "def init(): pass\n\ndef run(data): return 1\n"


def below(live, path, method="GET", body=None):
    place = f"/subscriptions/{live.state['subscription_id']}/providers"
    return live.call(
        method, f"{place}/Microsoft.MachineLearningServices/locations/local/{path}", body
    ).json()


def pruned(live):
    """Hashes of what goes, with no limit to what may, though all was last used long ago."""
    for ready in (live.data_dir / "environments").glob("*/ready.json"):
        os.utime(ready, (1, 1))
    gone = below(live, "pruneEnvironments", "POST", {})["value"]
    return [each["name"] for each in gone]


def test_an_environment_goes_when_its_deployment_is_gone(own_server):
    live = own_server
    live.deploy("e", SCORE)
    [entry] = below(live, "environmentCache")["value"]
    blue = "/onlineEndpoints/e/deployments/blue"

    assert any(user.endswith(blue) for user in entry["usedBy"])
    assert pruned(live) == []
    assert live.score("e").status_code == 200

    live.put("/onlineEndpoints/e", {"authMode": "Key", "traffic": {}})
    assert live.call("DELETE", blue).status_code == 202
    wait_for(lambda: not below(live, "environmentCache")["value"][0]["usedBy"])
    assert pruned(live) == [entry["name"]]
    assert not (live.data_dir / "environments" / entry["name"]).exists()


def test_what_a_killed_build_has_left_is_gone_after_the_next_start(own_server):
    live = own_server
    folder = live.data_dir / "environments" / ("a" * 32)
    live.kill()
    folder.mkdir(parents=True)
    (folder / "half").write_text("of it")

    live.up()

    wait_for(lambda: not folder.exists())
