"""Responsibility maps for the wall: per community, grid and person, as printed sheets and as plain data."""
