"""Backups of everything that the office would miss: made while the service runs, restored elsewhere."""
