"""Settings, typed, read once at the start. A bad value stops the start with one clear line."""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import socket
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from service.basemaps import BaseMap, of_file, preset
from service.errors import BadSetting

ROOT = Path(__file__).resolve().parent.parent


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
    basemaps: Annotated[list[BaseMap], NoDecode] = []
    basemap_file: Path | None = None
    tianditu_key: str = ""
    public_url: str = ""
    map_approval: str = ""
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    session_hours: float = Field(default=8.0, gt=0, le=168)
    production: bool = False

    @field_validator("database_url")
    @classmethod
    def _known_store(cls, value: str) -> str:
        if value and not value.startswith(("gpkg:///", "postgresql+psycopg://")):
            raise ValueError("写成 gpkg:///路径 或 postgresql+psycopg://用户@主机/库名")
        return value

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("写成 https://名称 或 http://地址:端口")
        return value.rstrip("/")

    @field_validator("basemaps", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Names of public services (tianditu,osm,amap) or a JSON list of entries."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("["):
            return json.loads(value)
        return [{"id": name.strip(), "label": ""} for name in value.split(",") if name.strip()]

    @field_validator("basemap_file")
    @classmethod
    def _usable_file(cls, value: Path | None) -> Path | None:
        if value is not None:
            of_file(value)
        return value

    @model_validator(mode="after")
    def _known_basemaps(self) -> Settings:
        """Names become their entries; the office's own file comes first."""
        chosen = [entry if entry.label else preset(entry.id, self.tianditu_key) for entry in self.basemaps]
        self.basemaps = ([of_file(self.basemap_file)] if self.basemap_file else []) + chosen
        return self

    @property
    def store_url(self) -> str:
        """The database: DATABASE_URL, or the GeoPackage in DATA_DIR."""
        return self.database_url or f"gpkg:///{self.data_dir.resolve() / 'steward.gpkg'}"

    @property
    def store_file(self) -> Path | None:
        """The GeoPackage's path; None on PostgreSQL."""
        prefix = "gpkg:///"
        return Path(self.store_url.removeprefix(prefix)) if self.store_url.startswith(prefix) else None

    @property
    def address(self) -> str:
        """HOST as a number: a name such as localhost is looked up."""
        try:
            return str(ipaddress.ip_address(self.host))
        except ValueError:
            pass
        try:
            return str(socket.getaddrinfo(self.host, None, socket.AF_INET)[0][4][0])
        except OSError:
            raise BadSetting(f"HOST={self.host}：不是这台机器的地址。写 127.0.0.1、0.0.0.0 或机器的 IP。") from None

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
        with suppress(FileExistsError):
            _write_secret(self.secret_file)
        return self.secret_file.read_text().strip()

    @property
    def secret_file(self) -> Path:
        """Where the key that signs sessions lies, unless SECRET_KEY says it."""
        return self.data_dir / "secret_key"

    def renew_session_secret(self) -> bool:
        """Another key in place of the kept one, which every worker takes up; False when SECRET_KEY is set from outside.
        Whoever knew the old one can sign nothing any more."""
        if self.secret_key:
            return False
        fresh = self.secret_file.with_name(f".{self.secret_file.name}.{secrets.token_hex(4)}")
        _write_secret(fresh)
        fresh.replace(self.secret_file)
        return True

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


def _write_secret(path: Path) -> None:
    """Raises FileExistsError."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
        out.write(secrets.token_urlsafe(48))


_REASONS = {
    "int_parsing": "要是整数",
    "float_parsing": "要是数",
    "bool_parsing": "要是 1 或 0",
    "string_type": "要是文字",
    "missing": "缺少必要的一项",
    "extra_forbidden": "有不认识的项目",
}


def load_settings(**given: Any) -> Settings:
    """Settings from the environment, `given` first. Raises BadSetting with one line that names the variable."""
    try:
        settings = Settings(**given)
    except ValidationError as fault:
        first = fault.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "BASEMAPS"
        value = os.environ.get(name, first.get("input") if first["loc"] else "")
        reason = _REASONS.get(first["type"]) or str(first["msg"]).removeprefix("Value error, ")
        if "expected" in first.get("ctx", {}):
            reason = f"只能是 {first['ctx']['expected']}"
        elif "ge" in first.get("ctx", {}) or "le" in first.get("ctx", {}):
            reason = f"超出范围（{first['msg']}）"
        raise BadSetting(f"{name}={value}：{reason}") from None
    except ValueError as fault:
        raise BadSetting(str(fault).splitlines()[0]) from None
    settings.prepare()
    return settings
