"""Every action that the program writes into the trail is told in words on its page."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from service.config import ROOT
from service.incidents.lifecycle import MARKS, STEPS
from service.web.trail_words import action_words


def written_actions() -> Iterator[str]:
    """The literal third argument of every `append(session, actor, action, …)`."""
    for file in (ROOT / "service").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or len(node.args) < 4:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            action = node.args[2]
            if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "timeline":
                continue  # an incident's steps stand in their own table
            if name == "append" and isinstance(action, ast.Constant) and isinstance(action.value, str):
                yield action.value


def test_every_action_has_words() -> None:
    actions = set(written_actions()) | {f"incident.{code}" for code in (*STEPS, *MARKS)}
    assert len(actions) > 15
    assert {one for one in actions if action_words(one) == one} == set()
