"""ARM in this process."""

from tests.app.conftest import keys, plane

__all__ = ["keys", "plane"]
