"""Where an incident happened: its grid and community on the day, and the shop or place that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from service.responsibility.lookup import Distances, find
from service.responsibility.snapshot import Snapshot


@dataclass(frozen=True)
class Placed:
    """`subject_*`: None where nothing is near enough; `subject_m` metres; `subject_why` a sentence."""

    grid_code: str | None = None
    community_code: str | None = None
    subject_kind: str | None = None
    subject_code: str | None = None
    subject_m: float | None = None
    subject_why: str | None = None


def placed(snapshot: Snapshot, lon: float | None, lat: float | None, distances: Distances) -> Placed:
    """By the edition and the shops of the snapshot's day. The nearest shop front counts, then a facility."""
    if lon is None or lat is None:
        return Placed()
    found = find(snapshot, lon, lat, distances)
    grid = found.zone.code if found.zone else None
    home = found.zone.community_code if found.zone else None
    if found.frontage is not None and found.frontage_m is not None:
        shop = found.frontage
        why = f"离“{shop.shop_name or shop.code}”的临街线 {found.frontage_m:.1f} m"
        why += f"（{distances.frontage:g} m 以内算它门前）"
        return Placed(grid, home, "frontage", shop.code, round(found.frontage_m, 1), why)
    for near in found.nearby:
        if near.subject.kind == "place" and not near.subject.is_reach:
            told = "在“{}”里" if near.metres == 0 else "离“{}” {:.1f} m"
            why = told.format(near.subject.name, near.metres)
            return Placed(grid, home, "place", near.subject.code, round(near.metres, 1), why)
    return Placed(grid, home)
