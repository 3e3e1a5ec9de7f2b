"""The registers as pages: a list with the detail beside it, forms, bulk changes, saved views."""

from service.web.registers.routes import bp

__all__ = ["bp"]
