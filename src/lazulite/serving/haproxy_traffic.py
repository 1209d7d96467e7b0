"""Which deployment a request goes to: the one that it names, or the one whose turn it is.

Each endpoint counts the requests that name none. The count chooses a slot of a hundred, and the
slots are laid out so that any run of requests is shared as the percentages say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lazulite.serving.haproxy_text import refusal, text_of
from lazulite.serving.routing import Endpoint

SCORING = "{ var(txn.endpoint) -m found }"
"""Condition: the request is for a replica, not for the control plane, which knows its own rules."""
ENDPOINT = "%[var(txn.endpoint),json(utf8s)]"
"""The endpoint's name in a message."""
COUNTERS = "turns"
_SLOTS = 100


def traffic_map(endpoints: Sequence[Endpoint]) -> str:
    """The text of traffic.map: for each slot of each endpoint, the backend."""
    return text_of(
        f"{endpoint.name.lower()}/{slot} {backend_name(endpoint.name, name)}"
        for endpoint in endpoints
        for slot, name in enumerate(turns(endpoint.traffic))
    )


def turns(shares: Mapping[str, int]) -> list[str]:
    """Whose turn each slot is; shares: percent by name, 100 in all (else the slots are fewer).

    At every slot the one that is furthest behind its share. So in any run of requests, however long
    and wherever it begins, nobody is off by two from the share; with two names, not by one.
    """
    names = sorted(name for name, share in shares.items() if share > 0)
    total = sum(shares[name] for name in names)
    had = dict.fromkeys(names, 0)
    order: list[str] = []
    for slot in range(1, total + 1):
        behind = {name: slot * shares[name] - total * had[name] for name in names}
        chosen = max(names, key=lambda name: behind[name])
        had[chosen] += 1
        order.append(chosen)
    return order


def backend_name(endpoint: str, deployment: str) -> str:
    """What a deployment is called in HAProxy's configuration and statistics."""
    return f"{endpoint}.{deployment}"


def counters() -> list[str]:
    """Where endpoints count. A new process begins anywhere: a reload must favour nobody."""
    return [
        f"backend {COUNTERS}",
        "  stick-table type string len 130 size 100k store gpc(1)",
    ]


def choice_of_deployment() -> list[str]:
    """The deployment that the header names, else one by traffic. Source: spec/ONLINE.md 5.5."""
    asked = "{ var(txn.asked) -m found }"
    unknown = "!{ var(txn.backend) -m found }"
    by_turn = f"!{asked}"
    return [
        "  http-request set-var(txn.asked) req.fhdr(azureml-model-deployment),lower",
        "  http-request set-var(txn.backend)"
        f" var(txn.endpoint),concat(/,txn.asked),map(deployments.map) if {asked}",
        refusal(
            404,
            "DeploymentNotFound",
            f"Endpoint {ENDPOINT} has no deployment %[var(txn.asked),json(utf8s)], which the "
            "header azureml-model-deployment asks for.",
        )
        + f" if {asked} {unknown}",
        f"  http-request track-sc0 var(txn.endpoint) table {COUNTERS} if {by_turn}",
        f"  http-request set-var(txn.turn) sc_inc_gpc(0,0),add(proc.first_turn) if {by_turn}",
        f"  http-request set-var(txn.slot) var(txn.turn),mod({_SLOTS}) if {by_turn}",
        "  http-request set-var(txn.backend)"
        f" var(txn.endpoint),concat(/,txn.slot),map(traffic.map) if {by_turn}",
        refusal(
            404,
            "NoDeploymentWithTraffic",
            f"No deployment of endpoint {ENDPOINT} takes traffic: set its traffic, or name a "
            "deployment in the header azureml-model-deployment.",
        )
        + f" if {unknown}",
    ]
