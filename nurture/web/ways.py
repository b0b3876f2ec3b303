"""By which way did a request come, and whose word about it is taken?

Either straight from a browser on this machine, which asked for a loopback name, or through the one
reverse proxy of `web.proxy`, which shows its secret from one of its addresses. Nobody else's word
about who somebody is, or where they are, is heard.
"""

import hmac
import re
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from nurture.config import Proxy, Web, is_loopback

SHOWN = "x-nurture-proxy"  #: the header in which the proxy shows its secret


@dataclass(frozen=True, kw_only=True)
class Way:
    address: str  #: whose browser it is: tries to sign in are counted for it
    secure: bool  #: over TLS
    proxied: bool = False
    named: bool = False  #: the proxy says who somebody is
    person: str | None = None  #: who it says they are, by e-mail


def open_to(scope: Scope, web: Web) -> bool:
    """Whether anything at all is answered. Beyond loopback only the proxy is listened to: what it
    does not pass on came over a network without TLS."""
    return is_loopback(web.host) or is_loopback(_peer(scope)) or _is_proxy(scope, web.proxy)


def way(scope: Scope, web: Web) -> Way | None:
    """How it came to a page of recruiters; None: by a way that is not open.

    That it must ask for a loopback name stops DNS rebinding (a foreign site whose name suddenly
    means 127.0.0.1). What an unknown proxy passes on is refused as well: one that was told to
    publish everything publishes the public pages and no more.
    """
    headers = Headers(scope=scope)
    passed_on = any(name == "forwarded" or name.startswith("x-forwarded-") for name in headers)
    if web.proxy is not None and SHOWN in headers:
        return _proxied(scope, headers, web.proxy) if _is_proxy(scope, web.proxy) else None
    if passed_on or "via" in headers or not is_loopback(_host(headers)):
        return None
    peer = _peer(scope)
    return Way(address=peer, secure=False) if is_loopback(peer) else None


def _proxied(scope: Scope, headers: Headers, proxy: Proxy) -> Way | None:
    there = urlsplit(proxy.url)
    if headers.get("host", "").lower() != there.netloc.lower():
        return None
    passed_on = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    way = Way(address=passed_on or _peer(scope), secure=there.scheme == "https", proxied=True)
    if proxy.person_header is None:
        return way
    said = headers.getlist(proxy.person_header)
    if len(said) > 1:
        return None  # of two, one is not the proxy's
    person = said[0].strip() if said and _ADDRESS.fullmatch(said[0].strip()) else None
    return replace(way, named=True, person=person)


_ADDRESS = re.compile(r"(?=.{3,254}$)[!-~]+@[!-~]+")


def _is_proxy(scope: Scope, proxy: Proxy | None) -> bool:
    if proxy is None:
        return False
    given = Headers(scope=scope).getlist(SHOWN)
    secret = proxy.secret.get_secret_value().encode()
    if len(given) != 1 or not hmac.compare_digest(given[0].encode("utf-8", "replace"), secret):
        return False
    try:
        peer = ip_address(_peer(scope))
    except ValueError:
        return False
    return any(peer in ip_network(each) for each in proxy.addresses)


def _peer(scope: Scope) -> str:
    """The address at the other end of the connection."""
    client = scope.get("client")
    return client[0] if client else ""


def _host(headers: Headers) -> str:
    """The host a browser asked for, without its port."""
    host = headers.get("host", "")
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
