"""Who changed this, when, from what: the trail alone tells every state that a row ever had."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service.errors import StewardError
from service.records.audit import lines
from service.records.models import AuditEntry, ImportBatch
from tests.registers.conftest import Town, point
from tests.responsibility.town import A1, at


def test_history_tells_imports_and_changes_with_both_sides(town: Town) -> None:
    town.change("frontages", "F1", {"trade": "餐饮"})
    path = town.folder / "again.csv"
    path.write_text("编码,店名,经营范围,经度,纬度\nF1,张记,服装,109.881,31.071\n", encoding="utf-8")
    town.bring("frontages", path)
    town.change("frontages", "F1", {"trade": "五金"})
    town.end("frontages", "F1")
    events = town.history("frontages", "F1")
    told = [
        (
            one.verb,
            {change.field: (change.before, change.after) for change in one.changes if change.field != "geometry"},
        )
        for one in sorted(events, key=lambda one: (one.verb != "import", one.at))
    ]
    imports = [one for one in told if one[0] == "import"]
    by_hand = [one for one in told if one[0] != "import"]
    assert len(imports) == 2
    assert by_hand == [
        ("end", {"ended_on": (None, "2026-11-23")}),
        ("change", {"trade": ("服装", "五金")}),
        ("change", {"trade": (None, "餐饮")}),
    ]
    assert {one.files for one in events if one.verb == "import"} == {"frontages.geojson", "again.csv"}
    assert all(one.actor == "周主管" for one in events if one.verb != "import")


def test_history_of_a_row_that_only_an_import_touched(town: Town) -> None:
    (event,) = town.history("grids", A1)[-1:]
    assert (event.verb, event.word) == ("import", "导入")
    assert town.history("incidents", "I1")[0].verb == "import"


_WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)
_STEPS = st.one_of(
    st.tuples(st.just("trade"), _WORDS),
    st.tuples(st.just("shop_name"), _WORDS),
    st.tuples(st.just("state"), st.sampled_from(["operating", "空置", "停业", "?"])),
    st.tuples(st.just("phone"), st.sampled_from(["13812345678", "", "023-57681234", "12"])),
    st.tuples(st.just("agreement_until"), st.sampled_from(["2026-12-31", "", "2027/1/5"])),
    st.tuples(st.just("geometry"), st.tuples(st.floats(0.1, 9.9), st.floats(0.1, 4.9))),
    st.tuples(st.just("end"), st.none()),
    st.tuples(st.just("restore"), st.none()),
)


def _state(town: Town, code: str) -> dict[str, Any]:
    row = town.one("frontages", code)
    plain = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.values.items()}
    plain["ended_on"] = row.ended_on.isoformat() if row.ended_on else None
    plain["geometry"] = {"type": row.geometry.geom_type, "coordinates": [row.geometry.x, row.geometry.y]}
    return {name: value for name, value in plain.items() if value is not None}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_STEPS, max_size=8))
def test_every_state_is_reconstructible_from_the_trail(town: Town, steps: list[tuple[str, Any]]) -> None:
    code = town.create("frontages", {"shop_name": "试店"}, point(at(1, 1))).code
    states = [_state(town, code)]
    for name, value in steps:
        try:
            if name == "end":
                town.end("frontages", code)
            elif name == "restore":
                town.restore("frontages", code)
            elif name == "geometry":
                town.change("frontages", code, {}, geometry=point(at(*value)))
            else:
                town.change("frontages", code, {name: value})
        except StewardError:
            continue
        if _state(town, code) != states[-1]:
            states.append(_state(town, code))
    with town.database.read() as session:
        kept = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.subject_kind == "frontages", AuditEntry.subject_code == code)
            .order_by(AuditEntry.id)
        ).all()
        assert kept[-1].previous
    forward: dict[str, Any] = {}
    rebuilt = []
    for entry in kept:
        if entry.before:
            assert {name: forward.get(name) for name in entry.before} == entry.before
        forward |= entry.after or {}
        forward = {name: value for name, value in forward.items() if value is not None}
        rebuilt.append(dict(forward))
    assert rebuilt == states
    assert len(town.history("frontages", code)) == len(states)


def test_the_chain_holds_over_registers_changes(town: Town) -> None:
    for trade in ("餐饮", "服装", "五金"):
        town.change("frontages", "F1", {"trade": trade})
    with town.database.read() as session:
        kept = list(lines(session))
        assert [one.previous for one in kept[1:]] == [one.hash for one in kept[:-1]]
        assert session.scalar(select(ImportBatch.id).limit(1)) is not None
