"""Duties as pages: assign on the map, hand over, leave, end, copy, correct, and who answered on a day."""

from service.web.duties import answered, assigning, correcting, stepping
from service.web.duties.blueprint import bp

__all__ = ["answered", "assigning", "bp", "correcting", "stepping"]
