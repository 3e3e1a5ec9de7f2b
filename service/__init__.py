"""Grid Steward · 网格管家: one map that answers who is responsible here."""

__version__ = "0.1.0"
