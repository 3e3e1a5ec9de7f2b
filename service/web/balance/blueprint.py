"""The blueprint of the balanced proposals' pages."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("balance", __name__)
