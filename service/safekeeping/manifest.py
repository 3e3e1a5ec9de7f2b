"""What a backup says about itself: which version made it of what, and the SHA-256 of every member."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from service.errors import UnreadableFile

NAME = "manifest.json"
FORMAT = 1
MOST_BYTES = 64 * 1024 * 1024
STORES = {"geopackage": "GeoPackage", "postgresql": "PostgreSQL"}


@dataclass(frozen=True)
class Content:
    """The store's part. `tables` (PostgreSQL): columns in the order of the member tables/NAME.copy, parents first;
    `sequences`: the last value given out; `trail`: number and hash of the trail's last line."""

    store: str
    revision: str
    counts: dict[str, int]
    tables: dict[str, list[str]] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    trail: tuple[int, str] = (0, "")


@dataclass(frozen=True)
class Member:
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """`missing`: photos that the database names and that were not there."""

    version: str
    made_at: datetime
    office: str
    content: Content
    members: dict[str, Member]
    missing: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(self.content.counts.values())

    @property
    def photos(self) -> int:
        return sum(name.startswith("photos/") for name in self.members)

    def to_json(self) -> bytes:
        told = {"format": FORMAT, "product": "grid-steward", **asdict(self), "made_at": self.made_at.isoformat()}
        return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode()

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Raises UnreadableFile for anything that isn't one of ours."""
        try:
            told: Any = json.loads(data)
            if told["product"] != "grid-steward":
                raise ValueError
            if told["format"] > FORMAT:
                raise UnreadableFile("这份备份是更新的版本做的，这个版本读不了。先升级网格管家，再恢复。")
            content = told["content"]
            return cls(
                str(told["version"]),
                datetime.fromisoformat(told["made_at"]),
                str(told["office"]),
                Content(
                    str(content["store"]),
                    str(content["revision"]),
                    {str(name): int(count) for name, count in content["counts"].items()},
                    {str(name): [str(one) for one in columns] for name, columns in content["tables"].items()},
                    {str(name): int(value) for name, value in content["sequences"].items()},
                    (int(content["trail"][0]), str(content["trail"][1])),
                ),
                {str(name): Member(int(one["size"]), str(one["sha256"])) for name, one in told["members"].items()},
                [str(one) for one in told["missing"]],
            )
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            raise UnreadableFile("备份里的清单读不懂，这不是网格管家的备份，或者已经损坏。") from None
