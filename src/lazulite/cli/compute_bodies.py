"""Computes of each type, in the words of YAML and on the wire. Source: spec/REST.md 7.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lazulite.cli.deployments import present
from lazulite.cli.shapes import ANYTHING, FLAG, INTEGER, NUMBER, TEXT, TEXTS, Shape
from lazulite.cli.wire import camel_keys, duration, envelope, seconds, snake_keys

TYPES = {
    "amlcompute": "AmlCompute",
    "computeinstance": "ComputeInstance",
    "kubernetes": "Kubernetes",
    "virtualmachine": "VirtualMachine",
    "synapsespark": "SynapseSpark",
}
"""By the type in YAML: the type on the wire."""
ATTACHED = frozenset({"kubernetes", "virtualmachine", "synapsespark"})
"""Those that are elsewhere; here they are records."""
SHAPE: Mapping[str, Shape] = {
    "name": TEXT,
    "type": frozenset(TYPES),
    "description": TEXT,
    "tags": TEXTS,
    "location": TEXT,
    "size": TEXT,
    "tier": frozenset({"dedicated", "low_priority"}),
    "min_instances": INTEGER,
    "max_instances": INTEGER,
    "idle_time_before_scale_down": NUMBER,
    "idle_time_before_shutdown_minutes": NUMBER,
    "identity": ANYTHING,
    "network_settings": ANYTHING,
    "ssh_settings": ANYTHING,
    "ssh_public_access_enabled": ANYTHING,
    "enable_node_public_ip": FLAG,
    "setup_scripts": ANYTHING,
    "schedules": ANYTHING,
    "create_on_behalf_of": ANYTHING,
    "resource_id": TEXT,
    "namespace": TEXT,
}
_TIERS = {"dedicated": "Dedicated", "low_priority": "LowPriority"}
_DEFAULT_SIZE = "Standard_DS3_v2"
_SSH = {
    "admin_username": "username",
    "admin_password": "password",
    "ssh_private_key_file": "privateKeyData",
}


def to_body(values: Mapping[str, Any], location: str) -> dict[str, Any]:
    """The body of a PUT. Idle times are in seconds in YAML; of a cluster 120, as in Azure."""
    kind = values.get("type") or "amlcompute"
    bodies = {"amlcompute": _cluster_body, "computeinstance": _instance_body}
    inner = bodies.get(kind, _attached_body)(values)
    return {
        "location": location,
        "tags": values.get("tags") or {},
        "properties": {
            "computeType": TYPES[kind],
            "description": values.get("description"),
            **present({"resourceId": values.get("resource_id")}),
            "properties": inner,
        },
    }


def view(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A compute as az prints it: the inverse of to_body."""
    properties = resource.get("properties") or {}
    inner = properties.get("properties") or {}
    return present(
        {
            **envelope(resource),
            "type": str(properties.get("computeType") or "").lower() or None,
            "description": properties.get("description"),
            "size": inner.get("vmSize"),
            "resource_id": properties.get("resourceId"),
            "namespace": inner.get("namespace"),
            **_cluster_view(inner),
            **_instance_view(inner),
            "provisioning_state": properties.get("provisioningState"),
            "provisioning_errors": properties.get("provisioningErrors") or None,
        }
    )


def _cluster_body(values: Mapping[str, Any]) -> dict[str, Any]:
    idle = values.get("idle_time_before_scale_down")
    least, most = values.get("min_instances") or 0, values.get("max_instances")
    return {
        "vmSize": values.get("size") or _DEFAULT_SIZE,
        "vmPriority": _TIERS[values.get("tier") or "dedicated"],
        "osType": "Linux",
        "scaleSettings": {
            "minNodeCount": least,
            "maxNodeCount": max(least, 1) if most is None else most,
            "nodeIdleTimeBeforeScaleDown": duration(120 if idle is None else idle),
        },
    }


def _cluster_view(inner: Mapping[str, Any]) -> dict[str, Any]:
    scale = inner.get("scaleSettings") or {}
    idle = scale.get("nodeIdleTimeBeforeScaleDown")
    tier = str(inner.get("vmPriority") or "").lower()
    return {
        "tier": {"dedicated": "dedicated", "lowpriority": "low_priority"}.get(tier),
        "min_instances": scale.get("minNodeCount"),
        "max_instances": scale.get("maxNodeCount"),
        "idle_time_before_scale_down": seconds(idle) if isinstance(idle, str) else idle,
        "current_node_count": inner.get("currentNodeCount"),
        "target_node_count": inner.get("targetNodeCount"),
        "node_state_counts": snake_keys(inner.get("nodeStateCounts")),
        "allocation_state": inner.get("allocationState"),
    }


def _instance_body(values: Mapping[str, Any]) -> dict[str, Any]:
    minutes = values.get("idle_time_before_shutdown_minutes")
    return present(
        {
            "vmSize": values.get("size") or _DEFAULT_SIZE,
            "idleTimeBeforeShutdown": None if minutes is None else duration(minutes * 60),
            "enableNodePublicIp": values.get("enable_node_public_ip"),
        }
    )


def _instance_view(inner: Mapping[str, Any]) -> dict[str, Any]:
    idle = inner.get("idleTimeBeforeShutdown")
    return {
        "state": inner.get("state"),
        "last_operation": snake_keys(inner.get("lastOperation")),
        "idle_time_before_shutdown_minutes": seconds(idle) / 60 if idle else None,
    }


def _attached_body(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is known of a compute elsewhere; secrets are kept sealed."""
    ssh = values.get("ssh_settings") or {}
    account = {wire: ssh.get(name) for name, wire in _SSH.items()}
    body = present(
        {
            "namespace": values.get("namespace"),
            "sshPort": ssh.get("ssh_port"),
            "administratorAccount": present(account) or None,
        }
    )
    return camel_keys(body) or None
