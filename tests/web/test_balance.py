"""Balanced proposals over the web: asked for, shown beside today, kept as a draft, put in force wholly or in part."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.duties.models import Duty
from service.records.models import AuditEntry
from service.responsibility.partition import Graph
from service.responsibility.snapshot import Snapshot
from tests.responsibility.town import A1, A2, B1, EAST_HOME, SPECIAL, WEST_HOME
from tests.stores import Stores
from tests.web.town_service import client_of, town_service

TODAY, FROM = date(2026, 11, 23), date(2026, 12, 1)
HOMES = ["500237002001", "500237002002", "500237002003", "500237002202"]


@pytest.fixture
def town(stores: Stores, store_kind: str, tmp_path: Path) -> Iterator[Flask]:
    """The small town, which a test may change."""
    yield from town_service(stores, store_kind, tmp_path)


def snapshot_of(app: Flask, on: date = TODAY) -> Snapshot:
    return app.extensions["steward"].responsibility.on(on)  # type: ignore[no-any-return]


def ask(client: FlaskClient, **body: Any) -> Any:
    return client.post("/api/v1/duties/balance", json=body)


# Asking -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("load", ["incidents", "frontages", "households", "area", {"incidents": 2, "households": 1}])
@pytest.mark.parametrize("homes", [[home] for home in HOMES] + [HOMES])
def test_the_demo_is_divided_evenly_in_whole_pieces(
    demo_app: Flask, supervisor: FlaskClient, homes: list[str], load: Any
) -> None:
    ask(supervisor, communities=homes, load=load, keep=None)  # what is read once
    begun = time.process_time()
    answer = ask(supervisor, communities=homes, load=load, keep=None)
    assert time.process_time() - begun < 2
    body = answer.json
    assert body["after"]["heaviest"] <= max(1.10, body["bound"] + 1e-3)
    assert body["after"]["heaviest"] <= body["before"]["heaviest"] + 1e-6
    snapshot = snapshot_of(demo_app)
    zones = [zone.code for zone in snapshot.tiling.zones]
    told = [grid for group in body["groups"] for grid in group["grids"]]
    assert sorted(told) == sorted(code for code in zones if code[:12] in homes)
    graph = Graph.of(snapshot.memo["borders"], np.ones(len(zones)))  # type: ignore[arg-type]
    for group in body["groups"]:
        assert len(graph.pieces([zones.index(grid) for grid in group["grids"]])) == 1
    assert ask(supervisor, communities=homes, load=load, keep=None).json["groups"] == body["groups"]


def test_no_officer_over_two_communities_when_so_asked(supervisor: FlaskClient) -> None:
    body = ask(supervisor, communities=HOMES[:2], within=True, keep=None).json
    assert all(len({grid[:12] for grid in group["grids"]}) == 1 for group in body["groups"])


def test_as_much_of_today_stays_as_asked_for(supervisor: FlaskClient) -> None:
    free = ask(supervisor, communities=HOMES[2:3], keep=None).json
    kept = ask(supervisor, communities=HOMES[2:3], keep=0.9).json
    even = ask(supervisor, communities=HOMES[2:3], keep="even").json
    assert kept["kept"] >= 0.9 * kept["held"] and kept["kept_as_asked"]
    assert even["after"]["heaviest"] <= 1.10 and even["kept"] >= free["kept"]


def test_more_officers_than_today_leave_groups_to_be_named(supervisor: FlaskClient) -> None:
    groups = ask(supervisor, communities=HOMES[:1], number=6).json["groups"]
    assert [group["person"] is None for group in groups] == [False] * 4 + [True] * 2


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"communities": []}, "communities", "至少一个社区"),
        ({"communities": ["999"]}, "communities", "没有编码是"),
        ({"communities": HOMES[:1], "number": 99}, "officers", "多于 19 个网格"),
        ({"communities": HOMES[:1], "load": "colour"}, "load", "没有“colour”这种负担"),
        ({"communities": HOMES[:1], "load": {}}, "load", "选一种负担"),
        ({"communities": HOMES[:1], "since": "2030-01-01"}, "load", "全是 0"),
        ({"communities": HOMES[:1], "officers": ["nobody"]}, "officers", "没有工号"),
        ({"communities": HOMES[:2], "within": True, "number": 1}, "officers", "互不相邻的 2 片"),
        ({"communities": HOMES[:1], "role": "police"}, "role", "police"),
        ({"communities": HOMES[:1], "keep": "some"}, "keep", "keep"),
    ],
)
def test_what_cannot_be_done_says_why(supervisor: FlaskClient, body: dict[str, Any], field: str, words: str) -> None:
    answer = ask(supervisor, **body)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == field and words in answer.json["detail"]


def test_the_page_shows_today_and_the_division_beside_each_other(supervisor: FlaskClient) -> None:
    assert "把网格分得匀一些" in supervisor.get("/duties/balance").text
    page = supervisor.get(f"/duties/balance?community={HOMES[1]}&keep=even").text
    assert page.count('<svg class="groups"') == 2 and page.count('class="patch') == 2 * 19
    assert "最重 ÷ 平均" in page and "韩佳怡" in page
    refused = supervisor.get(f"/duties/balance?community={HOMES[1]}&number=40")
    assert refused.status_code == 422 and "40 个人多于 19 个网格" in refused.text


# Keeping and putting in force ---------------------------------------------------------------------------------------


def form_of(page: str) -> dict[str, Any]:
    """What the page's form would send."""
    inside = page[page.index('id="division"') :]
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inside)
    takes = re.findall(r'name="take" value="(\d+)"', inside)
    out: dict[str, Any] = {}
    for name, value in [*pairs, *(("take", one) for one in takes)]:
        out.setdefault(name, []).append(value)
    return out


def draft(client: FlaskClient, query: str, **changed: Any) -> int:
    form = form_of(client.get(f"/duties/balance?{query}").text) | {"name": ["冬季调整"]} | changed
    answer = client.post("/duties/balance", data=form)
    assert answer.status_code == 303, answer.text[:300]
    found = re.search(r"/duties/proposals/(\d+)", answer.headers["Location"])
    assert found
    return int(found[1])


def post(client: FlaskClient, path: str, **form: Any) -> Any:
    """A form of the page that stands behind the path, with its token."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path.rsplit("/", 1)[0]).text)
    assert found
    return client.post(path, data={**form, "csrf_token": found[1]})


def holders(app: Flask, grid: str, on: date) -> set[str]:
    held = snapshot_of(app, on).duties.get(("grid", grid), [])
    return {duty.person_code for duty in held if duty.role == "grid_officer"}


QUERY = f"community={WEST_HOME}&load=area&officer=P3&officer=P4&keep=none"


def test_a_draft_changes_nothing_until_it_is_put_in_force(town: Flask) -> None:
    chief = client_of(town, "chief")
    number = draft(chief, QUERY)
    assert holders(town, A1, FROM) == {"P3"} and holders(town, A2, FROM) == set()
    told = chief.get(f"/api/v1/duties/proposals/{number}").json
    of = {grid: group["person"]["code"] for group in told["groups"] for grid in group["grids"]}
    assert set(of) == {A1, A2, SPECIAL} and set(of.values()) == {"P3", "P4"}
    form = {"version": "1", "take": ["0", "1"], "from": FROM.isoformat()}
    looked = post(chief, f"/duties/proposals/{number}/adopt", **form, step="look")
    assert looked.status_code == 200 and "还没有保存" in looked.text
    assert holders(town, A2, FROM) == set()
    done = chief.post(f"/api/v1/duties/proposals/{number}/adopt", json={"version": 1, "starts_on": FROM.isoformat()})
    assert done.status_code == 200 and done.json["state"] == "in_force"
    assert all(one["ok"] for one in done.json["verdicts"])
    for grid, person in of.items():
        assert holders(town, grid, FROM) == {person}, grid
    assert holders(town, A1, TODAY) == {"P3"} and holders(town, A2, TODAY) == set(), "today is as it was"
    with town.extensions["steward"].database.read() as session:
        trail = session.scalars(select(AuditEntry.action).where(AuditEntry.subject_kind == "proposals")).all()
        written = session.scalars(select(AuditEntry.note).where(AuditEntry.action.like("duty.%"))).all()
    assert list(trail) == ["proposal.create", "proposal.adopt"]
    assert written and set(written) == {f"均衡方案 {number}"}
    page = chief.get(f"/duties/proposals/{number}").text
    assert "已生效" in page and "看结果再生效" not in page
    again = chief.post(f"/api/v1/duties/proposals/{number}/adopt", json={"version": 2, "starts_on": FROM.isoformat()})
    assert again.status_code == 409


def test_only_the_ticked_officers_are_kept_and_put_in_force(town: Flask) -> None:
    chief = client_of(town, "chief")
    number = draft(chief, QUERY, take=["1"])
    groups = chief.get(f"/api/v1/duties/proposals/{number}").json["groups"]
    assert [group["person"]["code"] for group in groups] == ["P4"]
    whole = draft(chief, QUERY)
    done = chief.post(
        f"/api/v1/duties/proposals/{whole}/adopt", json={"version": 1, "starts_on": FROM.isoformat(), "groups": [1]}
    ).json
    assert {one["grid"] for one in done["verdicts"]} <= set(groups[0]["grids"])
    assert all("P4" in holders(town, grid, FROM) for grid in groups[0]["grids"])


def test_a_change_by_hand_is_what_is_kept(town: Flask) -> None:
    chief = client_of(town, "chief")
    number = draft(chief, QUERY, **{f"g.{A1}": ["0"], f"g.{A2}": ["0"], f"g.{SPECIAL}": ["1"]})
    groups = chief.get(f"/api/v1/duties/proposals/{number}").json["groups"]
    assert [group["grids"] for group in groups] == [[A1, A2], [SPECIAL]]
    form = form_of(chief.get(f"/duties/balance?{QUERY}").text) | {"name": ["x"], f"g.{A1}": ["7"]}
    assert chief.post("/duties/balance", data=form).status_code == 422


def test_a_second_holder_ends_and_an_exclusive_role_has_one(town: Flask) -> None:
    """网格长 of A1 is P2 (acting P3 until the 25th); of the special grid P8."""
    chief = client_of(town, "chief")
    number = draft(chief, f"community={WEST_HOME}&load=area&officer=P5&officer=P6&keep=none&role=grid_leader")
    done = chief.post(
        f"/api/v1/duties/proposals/{number}/adopt", json={"version": 1, "starts_on": FROM.isoformat()}
    ).json
    assert all(one["ok"] for one in done["verdicts"]) and len(done["verdicts"]) == 3
    after = snapshot_of(town, FROM)
    assert {after.leader_of(grid).person.code for grid in (A1, A2, SPECIAL)} <= {"P5", "P6"}  # type: ignore[union-attr]
    for grid in (A1, A2, SPECIAL):
        assert len([d for d in after.duties[("grid", grid)] if d.role == "grid_leader"]) == 1
    with town.extensions["steward"].database.read() as session:
        old = session.scalar(select(Duty).where(Duty.code == "D2"))
        assert old is not None and old.ends_on == FROM


def test_groups_without_a_person_need_one_first(town: Flask) -> None:
    chief = client_of(town, "chief")
    number = draft(chief, f"community={WEST_HOME}&load=area&number=2&keep=none")
    url = f"/duties/proposals/{number}/adopt"
    form = {"version": "1", "take": ["0", "1"], "from": FROM.isoformat(), "step": "save"}
    refused = post(chief, url, **form)
    assert refused.status_code == 422 and "第 2 组的责任人" in refused.text
    assert post(chief, url, **form, **{"person.1": "P7"}).status_code == 200
    assert {person for grid in (A1, A2, SPECIAL) for person in holders(town, grid, FROM)} == {"P3", "P7"}


def test_a_manager_has_the_own_community_only(town: Flask) -> None:
    west, east, chief = (client_of(town, name) for name in ("west", "east", "chief"))
    number = draft(west, QUERY)
    assert east.get(f"/duties/proposals/{number}").status_code == 404
    assert east.get("/api/v1/duties/proposals").json["total"] == 0
    assert west.get("/api/v1/duties/proposals").json["total"] == 1
    assert ask(east, communities=[WEST_HOME], load="area", number=2).status_code == 403
    other = draft(chief, f"community={EAST_HOME}&load=area&officer=P3&officer=P4&keep=none")
    assert (
        west.post(f"/api/v1/duties/proposals/{other}/adopt", json={"version": 1, "starts_on": "2026-12-01"}).status_code
        == 404
    )
    assert holders(town, B1, FROM) == set()


def test_a_draft_can_be_dropped_once(town: Flask) -> None:
    chief = client_of(town, "chief")
    number = draft(chief, QUERY)
    second = draft(chief, QUERY)
    assert post(chief, f"/duties/proposals/{number}/drop", version="1").status_code == 303
    token = re.search(r'name="csrf_token" value="([^"]+)"', chief.get(f"/duties/proposals/{second}").text)
    assert token
    again = chief.post(f"/duties/proposals/{number}/drop", data={"version": "2", "csrf_token": token[1]})
    assert again.status_code == 409
    adopted = chief.post(f"/api/v1/duties/proposals/{number}/adopt", json={"version": 2, "starts_on": "2026-12-01"})
    assert adopted.status_code == 409 and "已放弃" in adopted.json["detail"]


def test_a_proposal_that_was_changed_meanwhile_is_refused(town: Flask) -> None:
    chief = client_of(town, "chief")
    number = draft(chief, QUERY)
    stale = chief.post(f"/api/v1/duties/proposals/{number}/adopt", json={"version": 7, "starts_on": "2026-12-01"})
    assert stale.status_code == 409 and holders(town, A2, FROM) == set()


def test_a_proposal_does_not_reach_back_before_today(town: Flask) -> None:
    """Put in force on a day before today's officers began, it would have given each grid a second one."""
    chief = client_of(town, "chief")
    number = draft(chief, QUERY)
    before = {grid: holders(town, grid, TODAY) for grid in (A1, A2, SPECIAL)}
    past = "2020-12-01"
    answer = chief.post(f"/api/v1/duties/proposals/{number}/adopt", json={"version": 1, "starts_on": past})
    assert answer.status_code == 422 and answer.json["errors"][0]["field"] == "starts_on"
    assert f"{past} 已经过去" in answer.json["detail"]
    for step in ("look", "save"):
        form = {"version": "1", "take": ["0", "1"], "from": past, "step": step}
        page = post(chief, f"/duties/proposals/{number}/adopt", **form)
        assert page.status_code == 422 and "已经过去" in page.text
    assert {grid: holders(town, grid, TODAY) for grid in before} == before
    assert "草案" in chief.get(f"/duties/proposals/{number}").text


def test_a_division_that_stays_uneven_says_why(supervisor: FlaskClient) -> None:
    home = "community=500237002003&load=frontages&keep=none"
    assert "人越多越难分匀" in supervisor.get(f"/duties/balance?{home}&number=6").text
    assert "人越多越难分匀" not in supervisor.get(f"/duties/balance?{home}&number=3").text
    alone = supervisor.get("/duties/balance?community=500237002202&load=frontages&keep=none&number=5").text
    assert "人越多越难分匀" not in alone and "最重的也不会低于平均的" in alone
