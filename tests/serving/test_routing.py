"""What of a deployment's limits comes to each of its replica processes."""

import pytest

from lazulite.serving.routing import Deployment


@pytest.mark.parametrize(
    ("concurrent", "instances", "processes", "slots"),
    [
        (1, 1, 1, 1),
        (1, 3, 3, 1),
        (4, 1, 1, 4),
        (4, 1, 4, 1),
        (4, 2, 4, 2),
        (3, 1, 2, 2),
        (1, 1, 4, 1),
    ],
)
def test_an_instance_gets_its_concurrent_requests_shared_by_its_processes(
    concurrent, instances, processes, slots
):
    deployment = Deployment(
        name="blue",
        sockets=tuple(f"/run/{number}.sock" for number in range(processes)),
        waiting="/run/w.sock",
        max_concurrent=concurrent,
        instances=instances,
    )
    assert deployment.slots == slots
