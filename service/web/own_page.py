"""What the interfaces under /api/v1 ask of a browser before it may change anything."""

from __future__ import annotations

from flask import request
from flask_wtf.csrf import CSRFError, validate_csrf

from service.web.context import by_token


def from_own_page() -> None:
    """A change that comes with the browser's cookie needs the page's token; a program's bearer token is enough."""
    if request.method in ("GET", "HEAD", "OPTIONS") or by_token():
        return
    try:
        validate_csrf(request.headers.get("X-CSRFToken"))
    except ValueError:  # wtforms' ValidationError is one
        raise CSRFError("X-CSRFToken") from None
