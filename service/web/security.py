"""Headers of every response: strict CSP with a nonce, and the rest."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from service.basemaps import BaseMap
from service.config import Settings
from service.web.context import services


def nonce() -> str:
    """One per response."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def policy(basemaps: Iterable[BaseMap], own: str) -> str:
    """The Content-Security-Policy; hosts of base maps join img-src and connect-src only when chosen."""
    extra = "".join(f" {host}" for host in hosts(basemaps))
    return (
        "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; "
        f"script-src 'self' 'nonce-{own}'; style-src 'self' 'nonce-{own}'; "
        f"img-src 'self' data: blob:{extra}; connect-src 'self'{extra}; font-src 'self'; worker-src 'self'"
    )


def hosts(basemaps: Iterable[BaseMap]) -> list[str]:
    """Whom a browser asks for the pictures of these base maps; none for the office's own files."""
    return sorted({_host(url) for one in basemaps for url in (one.url, one.labels) if "//" in url})


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def register(app: Flask, settings: Settings) -> None:
    @app.after_request
    def headers(response: Response) -> Response:
        kept = response.headers
        if response.mimetype == "text/html":
            kept["Content-Security-Policy"] = policy(services().office.basemaps, nonce())
            kept.setdefault("Cache-Control", "no-store")
        elif response.is_json and "ETag" not in kept:  # going back must not show what has changed since
            kept.setdefault("Cache-Control", "private, no-store")
        kept["X-Content-Type-Options"] = "nosniff"
        kept["Referrer-Policy"] = "same-origin"
        if settings.tls_cert or request.is_secure:
            kept["Strict-Transport-Security"] = "max-age=31536000"
        return response
