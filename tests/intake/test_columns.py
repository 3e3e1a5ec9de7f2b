"""Which column is taken for what, on files of other places and of clerks: told, and never silently wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from service.clock import SHANGHAI
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


class TestWhen:
    """The moment of reporting: day and time of day may stand in two columns, or twice."""

    def moments(self, office: Office, text: str) -> list[str]:
        assert office.bring("incidents", office.put("登记.csv", text)).exit_code == 0
        with office.database.read() as session:
            found = session.execute(select(Incident.number, Incident.reported_at).order_by(Incident.number))
            return [moment.astimezone(SHANGHAI).strftime("%m-%d %H:%M") for _, moment in found]

    @pytest.mark.parametrize(
        ("header", "cells"),
        [
            ("日期,时间", ["2026-11-01,8:30", "2026-11-02,15:05:10"]),
            ("时间,日期", ["8:30,2026-11-01", "下午3:05,2026-11-02"]),
            ("上报日期,小时", ["2026/11/1,8", "2026/11/2,15"]),
            ("Date,Time", ["11/1/2026,0830", "11/2/2026,1505"]),
            ("date,hour", ["2026-11-01T00:00:00,8.0", "2026-11-02T00:00:00,15.0"]),
            ("日期,钟点", ["2026-11-01,0.354166667", "2026-11-02,1899-12-30T15:05:00"]),
            ("上报日期,上报时间", ["2026-11-01,2026-11-01 08:30", "2026-11-02,2026-11-02 15:05"]),
            ("日期,created", ["2026-11-01,2026-11-01 08:30", "2026-11-02,2026-11-02 15:05"]),
        ],
    )
    def test_a_day_and_its_time(self, office: Office, header: str, cells: list[str]) -> None:
        rows = "".join(f"A{i},{cell}\n" for i, cell in enumerate(cells))
        first, second = self.moments(office, f"编号,{header}\n{rows}")
        assert first in ("11-01 08:30", "11-01 08:00") and second in ("11-02 15:05", "11-02 15:00")

    def test_an_empty_time_leaves_the_day_and_a_broken_one_is_rejected(self, office: Office) -> None:
        out = office.folder / "退回.csv"
        cells = ["2026-11-01,8:30", "2026-11-02,", "2026-11-03,上班时", "2026-11-04,25:10", "2026-11-05,9"]
        text = "\n".join(["日期,时间", *cells])
        done = office.bring("incidents", office.put("登记.csv", text), rejects=out)
        assert counts(done) == (5, 3, 2, 0, 0)
        assert [(row["行号"], row["字段"], row["值"]) for row in rejects(out)] == [
            ("4", "reported_clock", "上班时"),
            ("5", "reported_clock", "25:10"),
        ]

    def test_the_column_that_was_named_is_taken_alone(self, office: Office) -> None:
        path = office.put("登记.csv", "编号,日期,小时,发现\nA0,2026-11-01,8,2026-10-31\n")
        done = office.bring("incidents", path, mapping={"reported_at": "发现"})
        assert done.summary["columns"]["reported_at"] == "发现"
        with office.database.read() as session:
            assert (
                session.scalars(select(Incident.reported_at)).one().astimezone(SHANGHAI).strftime("%m-%d %H")
                == "10-31 00"
            )


class TestWhatIsToldOfColumns:
    def test_every_field_with_its_column_and_the_columns_left_over(self, office: Office) -> None:
        path = office.put("登记.csv", "编号,上报时间,天气,空列\nA0,2026-11-01,晴,\n")
        done = office.bring("incidents", path)
        assert "字段 ← 列：上报时间 ← 上报时间；编号 ← 编号" in done.summary["warnings"]
        assert done.summary["columns"] == {"number": "编号", "reported_at": "上报时间"}
        assert [line for line in done.summary["warnings"] if "没有用到" in line] == [
            "没有用到的列：天气（要用就加 --map 字段=列名）"
        ]
