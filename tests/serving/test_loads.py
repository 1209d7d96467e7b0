"""The front door is read once for all deployments that ask at one time."""

import asyncio
import time

from lazulite.serving import loads
from lazulite.serving.loads import Loads
from lazulite.serving.proxy_stats import Load, ProxyStats


class FrontDoor:
    def __init__(self):
        self.readings = 0

    def read(self, folder):
        self.readings += 1
        time.sleep(0.01)
        if self.readings == 1:
            raise ConnectionRefusedError
        return ProxyStats({("ep", "blue"): Load(self.readings, 0)}, 1, 0)


async def test_who_asks_at_one_time_shares_a_reading(tmp_path, monkeypatch):
    monkeypatch.setattr(loads, "FRESH_S", 3600)
    door = FrontDoor()
    shared = Loads(tmp_path, door.read)
    found = await asyncio.gather(*(shared.of("Ep", name) for name in ("Blue", "green") * 10))
    assert (set(found), door.readings) == ({None}, 1)


async def test_what_is_old_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(loads, "FRESH_S", 0)
    shared = Loads(tmp_path, FrontDoor().read)
    assert [await shared.of("Ep", "Blue") for _ in range(3)] == [None, Load(2, 0), Load(3, 0)]
