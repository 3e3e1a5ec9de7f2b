"""The tab row of the duties' pages: those that the asker may read."""

from __future__ import annotations

from flask import current_app, url_for

from service.people.access import reach
from service.web.access import ROUTES
from service.web.context import account

_PAGES = (
    ("duties", "registers.duties", "责任"),
    ("audit", "duty_audit.index", "责任检查"),
    ("balance", "balance.index", "均衡方案"),
    ("wall", "wall.page", "责任图"),
)


def duty_pages() -> list[dict[str, str]]:
    """{"name", "url", "word"} of each page that there is and that the asker's role may read."""
    who = account()
    return [
        {"name": name, "url": url_for(endpoint), "word": word}
        for name, endpoint, word in _PAGES
        if endpoint in current_app.view_functions and who and reach(who.role, ROUTES[endpoint]) is not None
    ]
