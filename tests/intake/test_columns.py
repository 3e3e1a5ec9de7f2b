"""Which column is taken for what, on files of other places and of clerks: told, and never silently wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from service.incidents.models import Incident
from tests.intake.conftest import Office, counts, rejects

TWICE = "上报时间,编号,类别\n2026-11-01,A1,暴露垃圾\n2026-11-02,A2,暴露垃圾\n2026-11-03,A2,占道\n"


class TestRepeatedNumbers:
    @pytest.mark.parametrize("header", ["编号", "案件编号", "id", "number"])
    def test_a_repeated_number_is_its_rows_mistake(self, office: Office, header: str) -> None:
        out = office.folder / "退回.csv"
        path = office.put("三行.csv", TWICE.replace("编号", header))
        done = office.bring("incidents", path, rejects=out)
        assert (counts(done), done.exit_code) == ((3, 2, 1, 0, 0), 3)
        assert [(row["行号"], row["值"]) for row in rejects(out)] == [("4", "A2")]
        assert "第 3 行已经用了它" in rejects(out)[0]["原因"]
        again = office.bring("incidents", path)
        assert (counts(again), office.numbers()) == ((3, 2, 1, 0, 2), ["A1", "A2"])

    def test_one_repeated_line_of_new_yorks_file(self, office: Office, shared_data: Path) -> None:
        """However short the file is cut: 311's Unique Key names the complaint."""
        lines = (shared_data / "nyc_311_animals" / "311_Animals_short.csv").read_text(encoding="utf-8").splitlines()
        cut = "\n".join([*lines[:6], lines[5]]) + "\n"
        done = office.bring("incidents", office.put("剪短.csv", cut))
        assert (counts(done), done.exit_code) == ((6, 5, 1, 0, 0), 3)
        assert "第 6 行已经用了它" in done.messages[0]
        assert all(number.isdecimal() for number in office.numbers())

    def test_a_count_of_offences_is_no_number(self, office: Office) -> None:
        """Houston's `number` is how many there were."""
        rows = "".join(f"1,2010-01-0{day},theft\n" for day in range(1, 5))
        done = office.bring("incidents", office.put("点数.csv", "number,date,offense\n" + rows))
        assert counts(done) == (4, 4, 0, 0, 0)
        assert any("“number”一列有 3 个重复，不像编号" in line for line in done.summary["warnings"])

    def test_a_police_reports_number_stands_on_each_of_its_offences(self, office: Office) -> None:
        text = "IncidntNum,date,Category\n120522283,2012-07-02,ASSAULT\n120522283,2012-07-02,ROBBERY\n"
        assert counts(office.bring("incidents", office.put("旧金山.csv", text))) == (2, 2, 0, 0, 0)
        with office.database.read() as session:
            assert set(session.scalars(select(Incident.category_name))) == {"ASSAULT", "ROBBERY"}
