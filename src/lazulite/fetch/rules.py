"""What the administrator allows besides the public network, and which addresses stand for others.

LAZULITE_FETCH_ALLOW   host, host:port, *.suffix, address or CIDR, separated by commas
LAZULITE_URL_ALIASES   https://host/prefix=http://mirror/prefix, separated by commas
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Iterator

from lazulite.core.settings import SettingError
from lazulite.fetch.addresses import Address, is_public
from lazulite.fetch.errors import FetchError
from lazulite.fetch.urls import Url, parse_url

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclasses.dataclass(frozen=True)
class Alias:
    """URLs below a prefix are fetched below another one."""

    prefix: Url
    target: Url


@dataclasses.dataclass(frozen=True)
class Rules:
    """Decides about URLs and addresses. The default: the public network, and no aliases."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    aliases: tuple[Alias, ...] = ()

    @classmethod
    def parse(cls, allow: Iterable[str], aliases: Iterable[str]) -> Rules:
        """From the items of the settings. Raises SettingError naming the one that is wrong."""
        networks, hosts = [], set()
        for item in allow:
            if network := _network(item):
                networks.append(network)
            else:
                hosts.add(_host(item))
        return cls(frozenset(hosts), tuple(networks), tuple(_aliases(aliases)))

    def resolved(self, url: Url) -> Url:
        """The URL to ask instead, by the alias with the longest prefix; else the URL itself."""
        fitting = [alias for alias in self.aliases if is_below(url, alias.prefix)]
        if not fitting:
            return url
        alias = max(fitting, key=lambda alias: len(alias.prefix.path.rstrip("/")))
        rest = url.path[len(alias.prefix.path.rstrip("/")) :]
        path = alias.target.path.rstrip("/") + rest
        return dataclasses.replace(alias.target, path=path or "/", query=url.query)

    def trusts(self, url: Url) -> bool:
        """Whether it may be fetched at whatever address: allowed by host, or an alias's target."""
        names = {url.host, f"{url.host}:{url.port}"}
        labels = url.host.split(".")
        names |= {"*." + ".".join(labels[start:]) for start in range(1, len(labels))}
        return bool(names & self.hosts) or any(is_below(url, to.target) for to in self.aliases)

    def admits(self, address: Address) -> bool:
        """Whether one may connect to the address on behalf of any URL."""
        return is_public(address) or any(address in network for network in self.networks)


def is_below(url: Url, prefix: Url) -> bool:
    """Whether the URL is the prefix or continues it behind a slash."""
    root = prefix.path.rstrip("/")
    return url.origin == prefix.origin and (url.path == root or url.path.startswith(f"{root}/"))


def _network(item: str) -> Network | None:
    try:
        return ipaddress.ip_network(item)
    except ValueError:
        return None


def _host(item: str) -> str:
    """A host, perhaps with a port or a wildcard in front."""
    name = item.lower().removeprefix("*.")
    try:
        url = parse_url(f"http://{name}")
    except FetchError as error:
        raise _setting(
            "LAZULITE_FETCH_ALLOW", item, "a host, host:port, *.suffix or CIDR"
        ) from error
    if url.path != "/":
        raise _setting("LAZULITE_FETCH_ALLOW", item, "a host, host:port, *.suffix or CIDR")
    return item.lower()


def _aliases(items: Iterable[str]) -> Iterator[Alias]:
    form = "of the form https://host/prefix=http://mirror/prefix"
    for item in items:
        prefix, _, target = item.partition("=")
        try:
            found = Alias(parse_url(prefix), parse_url(target))
        except FetchError as error:
            raise _setting("LAZULITE_URL_ALIASES", item, form) from error
        if found.prefix.query or found.target.query:
            raise _setting("LAZULITE_URL_ALIASES", item, f"{form}, without a query")
        yield found


def _setting(name: str, item: str, rule: str) -> SettingError:
    return SettingError("InvalidSetting", f"{name} has {item!r}: it must be {rule}.")
