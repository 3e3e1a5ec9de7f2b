"""Files through the browser: upload, the steps of the wizard, the list of imports, undoing one."""

from __future__ import annotations

from service.web.imports import receiving, stored, wizard
from service.web.imports.blueprint import bp

__all__ = ["bp", "receiving", "stored", "wizard"]
