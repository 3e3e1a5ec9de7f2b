"""Which column is taken for what, on files of other places and of clerks: told, and never silently wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from service.clock import SHANGHAI
from service.files.mapping import map_columns, plain_header
from service.files.table import SourceTable, objects
from service.incidents.models import Incident
from service.intake.kinds import KINDS
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


# Header rows as offices type them; what every column is, in order.
TYPED = {
    "communities": (
        "社区编号,村（社区）名称,城乡分类,备注说明",
        "code name kind notes",
    ),
    "grids": (
        "单元网格编码,单元网格名称,所属村社区,网格性质,居民户数,常住人口数",
        "code name community_code kind households population",
    ),
    "people": (
        "员工编号,网格员姓名,移动电话,所属部门,人员类型",
        "code name phone organisation_code title",
    ),
    "organisations": (
        "机构代码,单位全称,单位性质,主要负责人,办公电话,办公地址",
        "code name kind head_code phone address",
    ),
    "duties": (
        "人员编号,角色,责任网格,起始时间,终止时间,代班人",
        "person_code role subject_code starts_on last_day acting_code",
    ),
    "frontages": (
        "门店编码,门头名称,经营类型,店主姓名,手机号码,责任书到期",
        "code shop_name trade person_name phone agreement_until",
    ),
    "incidents": (
        "流水号,案发时间,诉求类型,情况描述,事发地点,处置状态,信息来源,办结时限,实际办结时间,网格名称",
        "number reported_at category_name description address state source due_at closed_at stated_grid",
    ),
    "streets": (
        "道路编号,道路名,道路级别",
        "code name level",
    ),
    "buildings": (
        "楼栋编号,楼栋名称,坐落",
        "code name address",
    ),
    "places": (
        "设施编号,场所名称,设施类型,详细地址,东经,北纬",
        "code name kind address lon lat",
    ),
}


@pytest.mark.parametrize("kind", TYPED)
def test_headers_as_offices_type_them(kind: str) -> None:
    headers, fields = TYPED[kind]
    table = SourceTable(Path("表.csv"), "CSV", {name: objects([None]) for name in headers.split(",")}, np.array([2]))
    mapped = map_columns(table, KINDS[kind].fields)
    assert {column: field for field, column in mapped.used.items()} == dict(
        zip(headers.split(","), fields.split(), strict=True)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_no_header_means_two_things(kind: str) -> None:
    """Of one kind, `category` aside: a code if there is a column of names beside it, see importing.py."""
    meant: dict[str, set[str]] = {}
    for field in KINDS[kind].fields:
        for word in field.words:
            meant.setdefault(plain_header(word), set()).add(field.name)
    assert {word for word, fields in meant.items() if len(fields) > 1} <= {"category"}
