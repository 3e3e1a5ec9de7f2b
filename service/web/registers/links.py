"""Addresses of the register pages."""

from __future__ import annotations

from urllib.parse import quote

from service.web.registers.query import Query


def list_url(name: str, query: Query | None = None) -> str:
    text = query.text() if query else ""
    return f"/{name}?{text}" if text else f"/{name}"


def row_url(name: str, code: str, query: Query | None = None, step: str = "") -> str:
    """The detail of a row beside its list; `step`: edit, end, restore."""
    text = query.text() if query else ""
    path = f"/{name}/{quote(code, safe='')}" + (f"/{step}" if step else "")
    return f"{path}?{text}" if text else path
