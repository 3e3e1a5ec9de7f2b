"""Balanced proposals as pages and interface: ask, compare, adjust by hand, keep as a draft, put in force."""

from service.web.balance import interface, pages, proposals
from service.web.balance.blueprint import bp

__all__ = ["bp", "interface", "pages", "proposals"]
