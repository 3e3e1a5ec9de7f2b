"""Settings, typed, read once at the start. A bad value stops the start with one clear line."""

from __future__ import annotations

import ipaddress
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import BadSetting

ROOT = Path(__file__).resolve().parent.parent


class BaseMap(BaseModel):
    """One entry of the base map registry (setting BASEMAPS, a JSON list)."""

    model_config = ConfigDict(extra="forbid")

    id: str
    label: str
    kind: Literal["none", "xyz", "pmtiles"] = "xyz"
    url: str = ""
    attribution: str = ""
    approval: str = ""
    crs: Literal["wgs84", "gcj02"] = "wgs84"
    max_zoom: int = 18


class Settings(BaseSettings):
    """Every setting of README's table. Names in the environment are the upper-case field names."""

    model_config = SettingsConfigDict(extra="ignore", case_sensitive=False)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    data_dir: Path = ROOT / "data"
    database_url: str = ""
    demo: bool = True
    workers: int = Field(default=2, ge=1, le=64)
    secret_key: str = ""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    public_map: Literal["off", "basic", "names"] = "basic"
    office_name: str = "龙门街道"
    office_hotline: str = ""
    subdistrict: str = "500237002"
    border_m: float = Field(default=10.0, gt=0, le=200)
    frontage_m: float = Field(default=15.0, gt=0, le=200)
    here_m: float = Field(default=50.0, gt=0, le=1000)
    basemaps: list[BaseMap] = []
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    session_hours: float = Field(default=8.0, gt=0, le=168)
    production: bool = False

    @field_validator("database_url")
    @classmethod
    def _known_store(cls, value: str) -> str:
        if value and not value.startswith(("gpkg:///", "postgresql+psycopg://")):
            raise ValueError("写成 gpkg:///路径 或 postgresql+psycopg://用户@主机/库名")
        return value

    @property
    def store_url(self) -> str:
        """The database: DATABASE_URL, or the GeoPackage in DATA_DIR."""
        return self.database_url or f"gpkg:///{self.data_dir.resolve() / 'steward.gpkg'}"

    @property
    def on_loopback(self) -> bool:
        """Whether the service listens on this machine only."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @cached_property
    def session_secret(self) -> str:
        """SECRET_KEY, or one made once and kept in DATA_DIR (mode 0600)."""
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / "secret_key"
        try:
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
                out.write(secrets.token_urlsafe(48))
        except FileExistsError:
            pass
        return path.read_text().strip()

    def prepare(self) -> None:
        """Make DATA_DIR (0700), and refuse what must not be."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise BadSetting(
                f"DATA_DIR={self.data_dir}：建不了这个文件夹（{fault.strerror}）。换一个能写的位置。"
            ) from fault
        if bool(self.tls_cert) != bool(self.tls_key):
            raise BadSetting("TLS_CERT 和 TLS_KEY 要一起给。")
        for name in ("tls_cert", "tls_key"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                raise BadSetting(f"{name.upper()}={path}：没有这个文件。")
        if self.production and os.environ.get("STEWARD_NOW"):
            raise BadSetting("STEWARD_NOW：生产环境不能改时间。去掉这个变量，或把 PRODUCTION 设为 0。")


def load_settings(**given: Any) -> Settings:
    """Settings from the environment, `given` first. Raises BadSetting with one line that names the variable."""
    try:
        settings = Settings(**given)
    except ValidationError as fault:
        first = fault.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "?"
        value = os.environ.get(name, first.get("input"))
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise BadSetting(f"{name}={value}：{reason}") from None
    except ValueError as fault:
        raise BadSetting(str(fault).splitlines()[0]) from None
    settings.prepare()
    return settings
