"""/duties/wall over HTTP: who may print what, what is on it, the job, its file, and the trail."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.jobs.doing import do_all
from service.records import jobs
from service.records.models import AuditEntry, Job
from service.wall import work
from tests.conftest import PASSWORD
from tests.responsibility.town import A1, B1, EAST_HOME, WEST_HOME
from tests.wall.conftest import read_pdf
from tests.web.test_masking import COLLEAGUE, EXPECTED, LEADER, PHONES, ROLES, SPOT, app, clients

__all__ = ["app", "clients"]  # fixtures
#       role: (own grid, other grid, own community)
MAY = {
    "public": (401, 401, 401),
    "viewer": (200, 200, 200),
    "unit": (403, 403, 403),
    "officer": (200, 403, 403),
    "manager": (200, 403, 200),
    "supervisor": (200, 200, 200),
    "admin": (200, 200, 200),
}


def tail(app: Flask, action: str) -> list[AuditEntry]:
    with app.extensions["steward"].database.read() as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)).all()
        session.expunge_all()
        return list(found)


@pytest.fixture
def signed(app: Flask) -> dict[str, tuple[FlaskClient, str]]:
    """Clients with a cookie, and the forms' token."""
    out = {}
    for role in ("supervisor", "manager", "viewer"):
        client = app.test_client()
        token = _token(client.get("/login").text)
        form = {"name": f"m-{role}", "password": PASSWORD, "csrf_token": token}
        assert client.post("/login", data=form).status_code == 302
        out[role] = (client, _token(client.get("/duties/wall").text))
    return out


def _token(text: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("form", ["pdf", "html", "png"])
def test_who_may_print_what(clients: dict[str, FlaskClient], role: str, form: str) -> None:
    paths = (f"grid/{A1}", f"grid/{B1}", f"community/{WEST_HOME}")
    got = [clients[role].get(f"/api/v1/wall/{path}?paper=a4&format={form}").status_code for path in paths]
    assert tuple(got) == MAY[role]


@pytest.mark.parametrize("role", ["viewer", "officer", "manager", "supervisor"])
def test_a_sheet_tells_what_the_role_may_read(app: Flask, clients: dict[str, FlaskClient], role: str) -> None:
    read = read_pdf(clients[role].get(f"/api/v1/wall/grid/{A1}?paper=a4&names=phones").data)
    sees = EXPECTED[role]
    assert read.says(LEADER["west"])
    assert read.says(COLLEAGUE["west"][-3:]) == sees.colleagues
    whole = "west" in sees.reveals
    for name in (LEADER["west"], COLLEAGUE["west"]):
        number = PHONES[name]
        assert read.says(number) == whole
        assert read.says(f"{number[:3]}****{number[-4:]}") == (not whole)
    line = tail(app, "wall.export")[-1]
    assert (line.role, line.subject_kind, line.subject_code) == (role, "wall", A1)
    assert line.after is not None and line.after.get("whole_numbers") == (3 if whole else None)
    assert "138" not in str(line.after)


def test_looking_is_no_export(app: Flask, clients: dict[str, FlaskClient]) -> None:
    before = len(tail(app, "wall.export"))
    answer = clients["supervisor"].get(f"/duties/wall/preview.png?what=grid&code={A1}&names=phones")
    assert answer.mimetype == "image/png" and answer.headers["Cache-Control"] == "private, no-store"
    assert len(tail(app, "wall.export")) == before


@pytest.mark.parametrize(
    ("query", "status"),
    [("?names=all", 422), ("?paper=a0", 422), ("?format=docx", 422), ("?on=tomorrow", 422), ("?on=2027-01-01", 200)],
)
def test_what_cannot_be_asked_is_told(clients: dict[str, FlaskClient], query: str, status: int) -> None:
    answer = clients["supervisor"].get(f"/api/v1/wall/grid/{A1}{query}")
    assert answer.status_code == status
    assert status == 200 or answer.json["errors"][0]["field"] == query[1:].partition("=")[0]


def test_what_is_not_there(clients: dict[str, FlaskClient]) -> None:
    for path in ("grid/9", "moon/1", "officer/nobody"):
        assert clients["supervisor"].get(f"/api/v1/wall/{path}").status_code == 404
    assert (
        clients["supervisor"].get("/duties/wall?what=moon", headers={"Accept": "application/json"}).status_code == 422
    )


def test_the_page_offers_the_area_only(clients: dict[str, FlaskClient]) -> None:
    manager = clients["manager"].get("/duties/wall?what=grid").text
    assert A1 in manager and B1 not in manager
    supervisor = clients["supervisor"].get(f"/duties/wall?what=grid&code={B1}").text
    assert A1 in supervisor and f'value="{B1}" checked' in supervisor
    officer = clients["officer"].get("/duties/wall?what=community").text
    assert "没有可印的" in officer and "disabled" in officer
    first = clients["officer"].get("/duties/wall").text
    assert "没有可印的" not in first and A1 in first, "it opens with what there is to print"
    assert "alert" not in re.sub(r"&lt;.*?alert", "", clients["supervisor"].get("/duties/wall?what=officer").text)


def test_one_sheet_comes_at_once(app: Flask, signed: dict[str, tuple[FlaskClient, str]]) -> None:
    client, token = signed["supervisor"]
    form: dict[str, Any] = {"csrf_token": token, "what": "grid", "code": A1, "names": "names", "paper": "a4"}
    answer = client.post("/duties/wall", data=form)
    assert answer.mimetype == "application/pdf" and read_pdf(answer.data).says(LEADER["west"])
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    page = client.post("/duties/wall", data=form | {"form": "html", "all": "1"})
    assert page.mimetype == "text/html" and "attachment" in page.headers["Content-Disposition"]
    assert client.post("/duties/wall", data=form | {"code": ""}).status_code == 422
    assert client.post("/duties/wall", data=form | {"csrf_token": "x"}).status_code == 400


def test_many_are_a_job_whose_file_is_kept_for_its_owner(
    app: Flask, signed: dict[str, tuple[FlaskClient, str]], clients: dict[str, FlaskClient]
) -> None:
    client, token = signed["supervisor"]
    given = app.extensions["steward"]
    form = {"csrf_token": token, "what": "grid", "all": "1", "names": "phones", "paper": "a4", "form": "pdf"}
    answer = client.post("/duties/wall", data=form)
    assert answer.status_code == 303 and answer.location.endswith("#made")
    with given.database.read() as session:
        number = session.scalar(select(Job.id).where(Job.kind == work.KIND).order_by(Job.id.desc()).limit(1))
    assert number is not None
    assert client.get(f"/duties/wall/made/{number}.pdf").status_code == 404, "not made yet"
    assert f"/jobs/{number}" in client.get("/duties/wall").text
    assert do_all(given.database, given.settings) == 1
    told = client.get(f"/jobs/{number}").json
    assert told["state"] == jobs.DONE and told["result"]["sheets"] == 2 and told["result"]["whole"] == 5
    path: Path = work.path_of(given.settings, number)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700

    exported = tail(app, "wall.export")[-1]
    assert exported.actor == "m-supervisor" and exported.after is not None
    assert exported.after["codes"] == [A1, B1] and exported.after["whole_numbers"] == 5
    got = client.get(f"/duties/wall/made/{number}.pdf")
    read = read_pdf(got.data)
    assert len(read.pages) == 2 and read.says(PHONES[LEADER["east"]])
    assert tail(app, "wall.download")[-1].after == exported.after
    assert signed["viewer"][0].get(f"/duties/wall/made/{number}.pdf").status_code == 404, "somebody else's"

    old = time.time() - (work.KEPT_DAYS + 1) * 86_400
    os.utime(path, (old, old))
    assert work.tidy(given.settings) == 1
    assert client.get(f"/duties/wall/made/{number}.pdf").status_code == 404
    assert "已清理" in client.get("/duties/wall").text


def test_a_job_has_the_rights_of_who_asked(app: Flask, signed: dict[str, tuple[FlaskClient, str]]) -> None:
    client, token = signed["viewer"]
    given = app.extensions["steward"]
    form = {"csrf_token": token, "what": "community", "all": "1", "names": "phones", "form": "pdf"}
    assert client.post("/duties/wall", data=form).status_code == 303
    do_all(given.database, given.settings)
    number = re.search(r"/duties/wall/made/(\d+)\.pdf", client.get("/duties/wall").text)
    assert number is not None
    read = read_pdf(client.get(number[0]).data)
    assert len(read.pages) == 2 and read.says("138****0001")
    assert not any(read.says(phone) for phone in PHONES.values())
    assert not read.says("西专职") and read.says("东格长")


def test_a_manager_gets_no_other_community(signed: dict[str, tuple[FlaskClient, str]]) -> None:
    client, token = signed["manager"]
    form = {"csrf_token": token, "what": "community", "code": [WEST_HOME, EAST_HOME], "form": "pdf"}
    assert client.post("/duties/wall", data=form).status_code == 403


def test_panel_and_detail_lead_to_it(clients: dict[str, FlaskClient]) -> None:
    lon, lat = SPOT["west"]
    address = f"/duties/wall?what=grid&amp;code={A1}"
    for role, seen in (("supervisor", True), ("manager", True), ("officer", True), ("unit", False), ("public", False)):
        assert (address in clients[role].get(f"/map/answer?lon={lon}&lat={lat}").text) == seen, role
    assert address in clients["supervisor"].get(f"/grids/{A1}").text
    assert "what=community" in clients["supervisor"].get(f"/communities/{WEST_HOME}").text
    assert "what=officer" in clients["supervisor"].get("/people/LW").text
