"""The fixtures of planes, and a world that is asked from outside its loop."""

import pytest

from tests.app.conftest import keys, plane
from tests.openapi.world import world_in

__all__ = ["keys", "plane", "world"]


@pytest.fixture(scope="module")
def world(tmp_path_factory, keys):
    with world_in(tmp_path_factory.mktemp("world"), keys) as world:
        yield world
