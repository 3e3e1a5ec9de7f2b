"""Rows of persons, shops and organisations as a viewer may read them: lists and exports go through here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from service.people.rules import Viewer
from service.records.masking import mask_words
from service.responsibility.reach import organisation_inside, person_inside, shop_inside
from service.responsibility.snapshot import Snapshot

_INSIDE = {"people": person_inside, "frontages": shop_inside, "organisations": organisation_inside}


@dataclass(frozen=True)
class Showing:
    """`whole`: numbers in full where the viewer may ask for them one by one too; such an export is written down."""

    snapshot: Snapshot
    viewer: Viewer
    whole: bool = False

    def person(self, code: str, name: str | None, organisation: str | None = None) -> str | None:
        """A colleague's name; the 网格长 of the day are everybody's. `organisation`: where the colleague works, as the
        register says unless told."""
        known = self.snapshot.persons.get(code) if organisation is None else None
        return self.viewer.name(name, code in self.leaders, known.organisation_code if known else organisation)

    def citizen(self, shop: str, name: str | None) -> str | None:
        """A shop keeper's or owner's name."""
        return self.viewer.citizen(name, self.inside("frontages", shop))

    def phone(self, kind: str, code: str, phone: str | None) -> str | None:
        """A number: masked, or whole."""
        if self.whole and phone and self.viewer.may_reveal(self.inside(kind, code)):
            return phone
        return self.viewer.phone(phone)

    def words(self, text: str | None) -> str | None:
        """Free words: the mobile numbers in them masked."""
        return text if text is None or self.whole else mask_words(text)

    def inside(self, kind: str, code: str) -> bool:
        """Whether the row answers within the viewer's area."""
        area = self.viewer.area
        return area.everywhere or (kind in _INSIDE and _INSIDE[kind](self.snapshot, code, area))

    @cached_property
    def leaders(self) -> frozenset[str]:
        """Codes of the persons who are 网格长 on the day."""
        return frozenset(
            code
            for duties in self.snapshot.duties.values()
            for duty in duties
            if duty.role == "grid_leader"
            for code in duty.holder_on(self.snapshot.on)
            if code is not None
        )
