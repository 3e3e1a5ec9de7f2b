"""A bad setting stops the start with one clear line that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.config import load_settings
from service.errors import BadSetting


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "abc", "整数"),
        ("PORT", "99999", "范围"),
        ("PUBLIC_MAP", "everything", "off"),
        ("DEMO", "maybe", "1 或 0"),
        ("DATABASE_URL", "mysql://x", "postgresql"),
        ("BORDER_M", "-1", "BORDER_M"),
        ("BASEMAPS", "mars", "没有名为"),
        ("BASEMAPS", "tianditu", "TIANDITU_KEY"),
        ("BASEMAP_FILE", "/nowhere.pmtiles", "没有文件"),
        ("WORKERS", "0", "范围"),
    ],
)
def test_a_bad_value_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as fault:
        load_settings()
    assert name in fault.value.message and said in fault.value.message
    assert "\n" not in fault.value.message


def test_production_refuses_another_day(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STEWARD_NOW", "2026-01-01T00:00:00+00:00")
    with pytest.raises(BadSetting, match="STEWARD_NOW"):
        load_settings(data_dir=tmp_path, production=True)


def test_the_data_folder_and_the_secret_are_for_the_owner_only(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path / "data")
    assert len(settings.session_secret) > 40
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert load_settings(data_dir=tmp_path / "data").session_secret == settings.session_secret


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False)]
)
def test_loopback(tmp_path: Path, host: str, expected: bool) -> None:
    assert load_settings(data_dir=tmp_path, host=host).on_loopback is expected
