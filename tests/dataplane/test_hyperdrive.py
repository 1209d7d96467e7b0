"""hyperdrive/v1.0 and content/v1.0: what is known, and honestly refused."""

import json

import pytest

from tests.dataplane.requests import ask

SWEEP = {
    "name": "sweep",
    "platform": "AML",
    "platform_config": {"Definition": {}},
    "generator_config": {"name": "RANDOM", "parameter_space": {"lr": ["choice", [[0.1, 0.2]]]}},
    "policy_config": {"name": "default"},
    "primary_metric_config": {"name": "accuracy", "goal": "MAXIMIZE"},
    "max_total_jobs": 4,
    "max_concurrent_jobs": 2,
    "user": "somebody",
}


@pytest.fixture
def runs(plane):
    async def send(method, where="", /, **given):
        path = f"/hyperdrive/v1.0{plane.workspace}/experiments/e/runs{where}"
        sent = {"authorization": f"Bearer {plane.bearer}"}
        return await plane.client.request(method, path, headers=sent, **given)

    return send


async def test_a_sound_sweep_is_understood_and_not_run(runs):
    config = {"config": ("config.json", json.dumps(SWEEP), "application/json")}
    answer = await runs("POST", files=config)
    assert answer.status_code == 501
    assert answer.json()["code"] == 501
    assert "'sweep'" in answer.json()["message"]
    assert "startrun" in answer.json()["message"]


async def test_an_unsound_sweep_is_refused_with_the_fault(runs):
    cases = [
        ({"policy_config": {"name": "Guess"}}, "policy_config"),
        ({"max_total_jobs": 0}, "max_total_jobs"),
        ({"generator_config": None}, "generator_config"),
        ({"platform": "Elsewhere"}, "platform"),
    ]
    for change, named in cases:
        config = {"config": ("config.json", json.dumps({**SWEEP, **change}))}
        answer = await runs("POST", files=config)
        assert (answer.status_code, answer.json()["code"]) == (400, 400)
        assert named in answer.json()["message"]
    assert (await runs("POST", files={"other": ("x", b"{}")})).status_code == 400
    assert (await runs("POST", json=SWEEP)).status_code == 415


async def test_no_sweep_is_there_to_read_or_cancel(runs):
    for method, path in (("GET", "/r1"), ("POST", "/r1/cancel")):
        answer = await runs(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, 404)
        assert "'r1'" in answer.json()["message"]


async def test_snapshots_say_what_to_do_instead(plane):
    for path in ("snapshots/latest/metadata", "snapshots/1/sas"):
        answer = await ask(plane, "GET", f"/content/v1.0{plane.workspace}/{path}")
        assert answer.status_code == 501
        assert answer.json()["error"]["code"] == "ServiceError"
        assert "startrun" in answer.json()["error"]["message"]
