"""What the service says when it starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from service.config import load_settings
from service.serving import run_server


@pytest.mark.parametrize(
    ("given", "warned"),
    [
        ({"host": "127.0.0.1"}, False),
        ({"host": "localhost"}, False),
        ({"host": "::1"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "192.168.1.5"}, True),
        ({"host": "0.0.0.0", "tls": True}, False),
        ({"host": "0.0.0.0", "trusted_proxies": 1}, False),
    ],
)
def test_listening_beyond_this_machine_without_encryption_is_said(
    given: dict[str, Any],
    warned: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if given.pop("tls", False):
        for name in ("tls_cert", "tls_key"):
            given[name] = tmp_path / name
            given[name].write_text("x")
    settings = load_settings(data_dir=tmp_path / "data", **given)
    monkeypatch.setattr(os, "execv", lambda *_: None)
    monkeypatch.setattr(os, "chdir", lambda *_: None)
    monkeypatch.setenv("DATA_DIR", "")
    run_server(settings)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("网格管家已启动")
    assert len(said) == 1 + warned
    if warned:
        assert "没有加密" in said[1] and "TLS_CERT" in said[1] and str(given["host"]) in said[1]
