"""Who may reach the server, and under which names: what an operator says at its start.

    Exposure.of("192.168.1.5", allowed=["inspect.example.org"], proxies=["10.0.0.0/8"], embed=[])

The default is a page for this machine alone.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class ExposureError(ValueError):
    """One sentence: which option is wrong, and what to give instead."""


@dataclass(frozen=True)
class Exposure:
    """The hosts, proxies and embedding sites that the server accepts."""

    hosts: frozenset[str] = LOOPBACK
    """Names that a request may have in `Host`, in lower case, without port and brackets."""
    by_address: bool = False
    """Whether every numeric address is accepted too, as the server listens on all of them. A name
    can be pointed at another machine by whoever owns it, a number cannot."""
    proxies: tuple[Network, ...] = ()
    """Peers whose `X-Forwarded-*` headers count."""
    embedders: tuple[str, ...] = ()
    """Origins whose pages may show this one in a frame."""

    @classmethod
    def of(
        cls,
        host: str,
        *,
        allowed: Iterable[str] = (),
        proxies: Iterable[str] = (),
        embed: Iterable[str] = (),
    ) -> Exposure:
        """The exposure of a server that listens on `host`. Raises `ExposureError`."""
        everywhere = is_unspecified(host)
        own = frozenset() if everywhere else frozenset({host.lower()})
        return cls(
            LOOPBACK | own | {_host(each) for each in allowed},
            everywhere,
            tuple(_network(each) for each in proxies),
            tuple(_origin(each) for each in embed),
        )

    def accepts(self, header: str) -> bool:
        """Whether a request with this `Host` header is for this server."""
        name = host_name(header)
        return name in self.hosts or (self.by_address and address(name) is not None)

    def trusts(self, peer: str | None) -> bool:
        """Whether a peer is a proxy that may say for whom it speaks."""
        found = address(peer or "")
        return found is not None and any(found in network for network in self.proxies)


def address(text: str) -> Address | None:
    """A numeric address; None if the text is something else. IPv4 inside IPv6 is IPv4."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def is_unspecified(host: str) -> bool:
    """Whether an address to listen on stands for all addresses of the machine."""
    found = address(host)
    return host == "" or (found is not None and found.is_unspecified)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address to listen on."""
    found = address(host)
    return host.lower() == "localhost" if found is None else found.is_loopback


def host_name(header: str) -> str:
    """The name in a `Host` header, in lower case, without its port; "" if there is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _host(given: str) -> str:
    name = host_name(given)
    if address(name) is None and not _NAME.fullmatch(name):
        raise ExposureError(
            f"--allowed-host takes a name such as inspect.example.org, not “{given}”."
        )
    return name


def _network(given: str) -> Network:
    try:
        return ipaddress.ip_network(given)
    except ValueError:
        raise ExposureError(
            f"--trusted-proxy takes an address such as 10.0.0.2 or 10.0.0.0/8, not “{given}”."
        ) from None


def _origin(given: str) -> str:
    try:
        parts = urlsplit(given.rstrip("/"))
        whole = f"{parts.scheme}://{parts.netloc}"
        valid = parts.scheme in ("http", "https") and bool(_NAME.fullmatch(parts.hostname or ""))
        valid = valid and whole == given.rstrip("/") and (parts.port or 1) > 0
        valid = valid and parts.username is None
    except ValueError:
        valid = False
    if not valid:
        raise ExposureError(f"--embed takes an origin such as https://example.org, not “{given}”.")
    return whole.lower()
