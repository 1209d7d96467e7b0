"""Which network addresses are public: those that a stranger may have the server connect to.

Source: IANA special-purpose registries as `ipaddress` knows them; spec/SECURITY.md 2.4.
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

RESERVED = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15"),
        *("240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20"),
        "168.63.129.16/32",  # services of Azure's hosts, at an address that looks public
    )
)
"""Besides what ipaddress calls not global, which differs between versions of Python."""
UNICAST = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether it is a public unicast address, also in the IPv4 address that it may embed."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None or not (address in UNICAST or address in NAT64):
            return False
        if any(not is_public(inner) for inner in embedded(address)):
            return False
    is_reserved = any(address in network for network in RESERVED)
    return address.is_global and not address.is_multicast and not is_reserved


def embedded(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that a gateway may take out of an IPv6 address."""
    found = [address.sixtofour]
    if address in NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]
