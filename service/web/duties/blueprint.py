"""The blueprint of the pages on which duties are changed and asked about."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("duties", __name__, url_prefix="/duties")
