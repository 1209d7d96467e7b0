"""The commands of `ml compute`."""

from __future__ import annotations

from collections.abc import Iterator

from lazulite.cli.commands import GENERIC, Command


def _turns() -> Iterator[Command]:
    for verb, text in (
        ("start", "Start an instance."),
        ("stop", "Stop an instance: it gives back what it held."),
        ("restart", "Restart an instance."),
    ):
        yield Command(f"compute {verb}", f"computes#{verb}", text, "name! no_wait")


COMPUTES = (
    Command(
        "compute create",
        "computes#create",
        "Create a compute cluster or a compute instance.",
        "name file set_values description tags no_wait kind size tier min_instances max_instances"
        " idle_time:-d idle_shutdown location vnet_name subnet",
    ),
    Command("compute show", "computes#show", "Show a compute.", "name!"),
    Command("compute list", "computes#listing", "List the computes.", "kind max_results"),
    Command(
        "compute update",
        "computes#update",
        "Change a compute, such as the size of a cluster.",
        f"name! file description tags no_wait tier min_instances max_instances idle_time {GENERIC}",
    ),
    Command(
        "compute delete", "computes#delete", "Delete a compute.", "name! no_wait", "Delete it?"
    ),
    *_turns(),
    Command(
        "compute attach",
        "computes#attach",
        "Keep a record of a compute elsewhere; nothing runs on it from here.",
        "name file set_values description tags no_wait kind resource_id namespace location",
    ),
    Command(
        "compute detach",
        "computes#detach",
        "Forget a compute elsewhere.",
        "name! no_wait",
        "Detach it?",
    ),
    Command("compute list-sizes", "computes#list_sizes", "List sizes of nodes.", "kind location"),
    Command(
        "compute list-usage",
        "computes#list_usage",
        "Show how much of the machine nodes hold.",
        "location",
    ),
    Command("compute list-nodes", "computes#list_nodes", "List a cluster's nodes.", "name!"),
    Command(
        "compute evict-node",
        "computes#evict_node",
        "Take a node away, to see what an eviction does to jobs.",
        "name! node_id!",
    ),
)
COMPUTE_COLUMNS = {
    "ml compute": ("name", "type", "size", "min_instances", "max_instances", "provisioning_state"),
    "ml compute list-sizes": ("name", "family", "v_cpus", "memory_gb"),
    "ml compute list-nodes": ("node_id", "node_state", "run_id", "port"),
    "ml compute list-usage": ("name", "current_value", "limit", "unit"),
}
COMPUTE_GROUPS = {"ml compute": "Clusters and instances that jobs run on."}
