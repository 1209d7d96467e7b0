"""The page for Prometheus."""

from lazulite.telemetry.counters import Counters
from lazulite.telemetry.gauges import Sample
from lazulite.telemetry.prometheus import page


def test_copies_of_requests_are_told_by_outcome():
    counters = Counters()
    copies = {("ep", "green"): {"dropped": 3}}
    counters.sample = Sample(stats=None, instances=[], disk=0.0, copies=copies)

    lines = page(counters).splitlines()

    labels = 'endpoint="ep",deployment="green",outcome="dropped"'
    assert f"lazulite_mirrored_requests{{{labels}}} 3" in lines
