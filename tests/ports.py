"""A port for a service that a test starts."""

from __future__ import annotations

import random
import socket

_DRAWN = random.SystemRandom()


def free_port() -> int:
    """A port that nobody listens on. Not one that the system gives out by itself (from 32768): until the service has
    taken it, any connection of a test next door could come to have it."""
    while True:
        port = _DRAWN.randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
