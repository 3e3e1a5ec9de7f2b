"""The least that a Flask application can do: the peer of every request of ours."""

from __future__ import annotations

from flask import Flask


def create_app() -> Flask:
    """One route, one word."""
    app = Flask(__name__)

    @app.get("/")
    def hello() -> str:
        return "hello"

    return app
