"""The page for Prometheus."""

from lazulite.telemetry.counters import Counters
from lazulite.telemetry.gauges import Sample
from lazulite.telemetry.places import Landscape
from lazulite.telemetry.prometheus import page
from lazulite.telemetry.traffic import Traffic
from tests.telemetry.conftest import request


def test_copies_of_requests_are_told_by_outcome():
    counters = Counters()
    copies = {("ep", "green"): {"dropped": 3}}
    counters.sample = Sample(stats=None, instances=[], disk=0.0, copies=copies)

    lines = page(counters).splitlines()

    labels = 'endpoint="ep",deployment="green",outcome="dropped"'
    assert f"lazulite_mirrored_requests{{{labels}}} 3" in lines


def counted(*keys):
    """Tallies of a request for each name of an endpoint and a deployment."""
    return Traffic().tallies([request(endpoint=name, deployment=of) for name, of in keys])


def series(counters):
    return [line for line in page(counters).splitlines() if line.startswith("lazulite_requests_t")]


def test_names_that_nobody_gave_an_endpoint_make_no_series(places):
    counters = Counters()
    made_up = [(f"x{number}", "") for number in range(50)]
    counters.add(counted(*made_up, ("ep", "blue"), ("ep", "gone")), places)
    assert series(counters) == [
        'lazulite_requests_total{endpoint="",deployment="",code="200"} 50',
        'lazulite_requests_total{endpoint="ep",deployment="",code="200"} 1',
        'lazulite_requests_total{endpoint="ep",deployment="blue",code="200"} 1',
    ]
    assert page(counters).count("x1") == 0


def test_what_is_deleted_is_counted_no_more(places):
    counters = Counters()
    counters.add(counted(("ep", "blue"), ("nowhere", "")), places)
    counters.forget_others(places)
    assert len(series(counters)) == 2
    counters.forget_others(places._replace(deployments={}))
    assert '"blue"' not in page(counters)
    counters.forget_others(Landscape({}, {}, []))
    assert '"ep"' not in page(counters)
    assert series(counters) == ['lazulite_requests_total{endpoint="",deployment="",code="200"} 1']
