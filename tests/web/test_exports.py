"""Lists as files: filters, masking, the right to whole numbers, the trail, safe cells; and the workbooks to fill in."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pyogrio
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.intake.kinds import KINDS
from service.records.models import AuditEntry
from service.registers.kinds import REGISTERS
from tests.web.test_masking import EXPECTED, FULL_PHONE, KEEPER, PHONES, ROLES, app, clients, holds

__all__ = ["app", "clients"]  # fixtures
MAY = {"viewer", "manager", "supervisor", "admin"}
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def rows_of(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def last(app: Flask) -> AuditEntry:
    with app.extensions["steward"].database.read() as session:
        found = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert found is not None
        session.expunge(found)
        return found


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", list(REGISTERS))
def test_who_may_export_what(clients: dict[str, FlaskClient], role: str, name: str) -> None:
    answer = clients[role].get(f"/{name}/export?format=csv", headers={"Accept": "application/json"})
    assert answer.status_code == (200 if role in MAY else 401 if role == "public" else 403)


@pytest.mark.parametrize("form", ["csv", "xlsx", "geojson", "gpkg"])
@pytest.mark.parametrize("role", sorted(MAY))
def test_an_export_holds_the_area_and_masks_by_role(
    app: Flask, clients: dict[str, FlaskClient], tmp_path: Path, role: str, form: str
) -> None:
    answer = clients[role].get(f"/frontages/export?format={form}")
    text = read(answer.data, form, tmp_path)
    sees = EXPECTED[role]
    assert not FULL_PHONE.search(text) and "138****" in text
    for side in ("west", "east"):
        assert holds(text, KEEPER[side]) == (side in sees.keepers)
        assert (f"F-{side}" in text) == (role != "manager" or side == "west")
    line = last(app)
    assert (line.action, line.subject_kind, line.role) == ("frontages.export", "frontages", role)
    assert line.after == {"rows": 1 if role == "manager" else 2, "format": form}


def read(data: bytes, form: str, folder: Path) -> str:
    """All that a file tells."""
    target = folder / f"out.{form}"
    target.write_bytes(data)
    if form == "xlsx":
        sheets = openpyxl.load_workbook(target).worksheets
        return str([[cell.value for cell in row] for sheet in sheets for row in sheet.iter_rows()])
    if form == "gpkg":
        return str(pyogrio.read_dataframe(target).to_dict("records"))
    return json.dumps(json.loads(data), ensure_ascii=False) if form == "geojson" else data.decode("utf-8-sig")


@pytest.mark.parametrize(
    ("role", "query", "phones", "whole"),
    [
        ("viewer", "full=1", None, False),
        ("manager", "full=1", {"west"}, True),
        ("supervisor", "full=1", {"west", "east"}, True),
        ("admin", "full=1", {"west", "east"}, True),
        ("admin", "full=0", set(), False),
    ],
)
def test_whole_numbers_are_for_those_who_may_and_written_down(
    app: Flask, clients: dict[str, FlaskClient], role: str, query: str, phones: set[str] | None, whole: bool
) -> None:
    answer = clients[role].get(f"/frontages/export?format=csv&{query}", headers={"Accept": "application/json"})
    if phones is None:
        assert answer.status_code == 403 and "主管" in answer.json["detail"]
        return
    text = answer.data.decode()
    assert {side for side in ("west", "east") if PHONES[KEEPER[side]] in text} == phones
    assert (last(app).after or {}).get("whole_numbers", False) == whole
    assert not any(number in str(vars(last(app))) for number in PHONES.values())


def test_the_lists_filters_are_applied_and_told(app: Flask, clients: dict[str, FlaskClient]) -> None:
    rows = rows_of(clients["admin"].get("/frontages/export?format=csv&shop_name=west&sort=-shop_name"))
    assert [row["编码"] for row in rows] == ["F-west"]
    assert last(app).after == {"rows": 1, "format": "csv", "filters": {"shop_name": ["west"]}}
    assert rows_of(clients["admin"].get("/frontages/export?format=csv&shop_name=nowhere")) == []


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/frontages/export?format=doc", 422, "xlsx"),
        ("/frontages/export?colour=red", 422, "colour"),
        ("/frontages/export?sort=colour", 422, "colour"),
        ("/secrets/export", 404, ""),
    ],
)
def test_what_cannot_be_asked_is_a_problem(clients: dict[str, FlaskClient], path: str, status: int, said: str) -> None:
    answer = clients["admin"].get(path, headers={"Accept": "application/json"})
    assert answer.status_code == status and said in answer.json["detail"]


def test_the_file_has_a_name_and_is_not_kept(clients: dict[str, FlaskClient]) -> None:
    answer = clients["admin"].get("/frontages/export")
    assert answer.mimetype == SHEET
    assert answer.headers["Content-Disposition"].endswith("%E9%97%A8%E5%89%8D%E4%B8%89%E5%8C%85-2026-11-23.xlsx")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_no_cell_is_a_formula(clients: dict[str, FlaskClient], tmp_path: Path) -> None:
    target = tmp_path / "people.xlsx"
    target.write_bytes(clients["admin"].get("/people/export").data)
    cells = [cell for row in openpyxl.load_workbook(target).worksheets[0].iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
    names = [row["姓名"] for row in rows_of(clients["admin"].get("/people/export?format=csv"))]
    assert any(name.startswith("'=HYPERLINK") for name in names)
    assert not any(name[:1] in "=+-@" for name in names)


def test_a_file_of_incidents_holds_the_area_only(clients: dict[str, FlaskClient]) -> None:
    assert len(rows_of(clients["admin"].get("/incidents/export?format=csv&group=open"))) == 8
    assert {row["编号"][:4] for row in rows_of(clients["manager"].get("/incidents/export?format=csv"))} == {"west"}


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_template_for_every_kind(clients: dict[str, FlaskClient], tmp_path: Path, kind: str) -> None:
    answer = clients["supervisor"].get(f"/imports/template/{kind}.xlsx")
    assert answer.status_code == 200 and answer.mimetype == SHEET
    target = tmp_path / "t.xlsx"
    target.write_bytes(answer.data)
    book = openpyxl.load_workbook(target)
    assert book.sheetnames[:2] == [KINDS[kind].label, "说明"]
    assert book.worksheets[0].max_row <= 201 and book.worksheets[0].freeze_panes == "A2"


def test_templates_are_for_those_who_import(clients: dict[str, FlaskClient]) -> None:
    assert clients["viewer"].get("/imports/template/people.xlsx").status_code == 403
    assert clients["admin"].get("/imports/template/secrets.xlsx").status_code == 404
    assert re.match("attachment", clients["admin"].get("/imports/template/people.xlsx").headers["Content-Disposition"])
