"""Duties from files: subjects and persons that exist, two holders of one role told."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from service.duties.models import Duty
from tests.intake.conftest import Office, counts, rejects

GRID = "500237002001001"
HEADER = "编号,职务,网格编码,责任人,开始日期,截止日期\n"


def overlaps(warnings: list[str]) -> list[str]:
    return [line for line in warnings if "同时有两个人" in line]


class TestSubjects:
    @pytest.mark.parametrize(
        ("row", "says"),
        [
            ("网格,500237002001009", "没有“500237002001009”这个网格。先导入网格"),
            ("社区,500237002009", "没有“500237002009”这个社区（村）。先导入社区（村）"),
            ("单位,城管办", "没有“城管办”这个单位。先导入单位"),
            ("街道,500237009", "本街道的编码是"),
            (",G9", "没有编码或名称是“G9”的网格、社区或单位"),
        ],
    )
    def test_one_that_nobody_registered_rejects_its_row(self, office: Office, row: str, says: str) -> None:
        out = office.folder / "退回.csv"
        text = f"编号,职务,对象类型,对象编码,责任人\nZ1,其他力量,网格,{GRID},L001\nZ2,其他力量,{row},L001\n"
        done = office.bring("duties", office.put("责任.csv", text), rejects=out)
        assert (counts(done), done.exit_code) == ((2, 1, 1, 0, 0), 3)
        assert [(one["行号"], one["字段"]) for one in rejects(out)] == [("3", "subject_code")]
        assert says in rejects(out)[0]["原因"]

    def test_a_river_that_is_not_registered_yet_is_stored_and_told(self, office: Office) -> None:
        text = "编号,职务,对象类型,对象编码,责任人\nZ1,河长,场所,大宁河,L001\nZ2,楼长,楼栋,B7,L002\n"
        done = office.bring("duties", office.put("责任.csv", text))
        assert counts(done) == (2, 2, 0, 0, 0)
        assert "对象还没有登记（场所）：责任先存下，等导入它们后对上（第 2 行）" in done.summary["warnings"]

    def test_by_name_and_without_a_kind(self, office: Office) -> None:
        text = "编号,职务,责任对象,责任人\nZ1,网格长,聚鹤1网格,李雷\nZ2,社区书记,龙江社区,L002\n"
        assert counts(office.bring("duties", office.put("责任.csv", text))) == (2, 2, 0, 0, 0)
        with office.database.read() as session:
            kept = list(session.execute(select(Duty.subject_kind, Duty.subject_code).order_by(Duty.code)))
        assert kept == [("grid", GRID), ("community", "500237002002")]

    def test_a_role_over_what_it_is_not_for_is_stored_and_told(self, office: Office) -> None:
        rows = f"Z1,网格长,街路,S1,L001\nZ2,网格长,网格,{GRID},L001\nZ3,网格长,街路,S2,L002\nZ4,河长,场所,大宁河,L002\n"
        done = office.bring("duties", office.put("责任.csv", f"编号,职务,对象类型,对象编码,责任人\n{rows}"))
        assert counts(done) == (4, 4, 0, 0, 0)
        told = [one for one in done.summary["warnings"] if "一般不用在" in one]
        assert len(told) == 1 and told[0].startswith("网格长一般不用在街路上（对象是：网格）"), told
        assert "第 2" in told[0] and "4" in told[0]

    def test_a_person_that_does_not_exist(self, office: Office) -> None:
        done = office.bring("duties", office.put("责任.csv", f"{HEADER}Z1,网格长,{GRID},L009,2026-01-01,\n"))
        assert counts(done) == (1, 0, 1, 0, 0)
        assert "没有“L009”这个人。先导入人员" in done.messages[0]


class TestTwoHolders:
    def test_two_open_ended_leaders_are_told_with_rows_and_dates(self, office: Office) -> None:
        rows = f"Z1,网格长,{GRID},L001,2026-01-01,\nZ2,网格长,{GRID},L002,2026-06-01,\n"
        done = office.bring("duties", office.put("责任.csv", HEADER + rows))
        assert counts(done) == (2, 2, 0, 0, 0)
        assert overlaps(done.summary["warnings"]) == [
            f"网格{GRID}的网格长同时有两个人："
            "第 2 行，L001，2026-01-01 起，没有截止；第 3 行，L002，2026-06-01 起，没有截止"
        ]

    def test_a_second_holder_beside_a_stored_one_is_rejected_naming_that_one(self, office: Office) -> None:
        office.bring("duties", office.put("一.csv", f"{HEADER}Z1,网格长,{GRID},L001,2026-01-01,\n"))
        out = office.folder / "退回.csv"
        path = office.put("二.csv", f"{HEADER}Z2,网格长,{GRID},L002,2026-06-01,2026-12-31\n")
        done = office.bring("duties", path, rejects=out)
        assert (counts(done), done.exit_code) == ((1, 0, 1, 0, 0), 2)
        (line,) = rejects(out)
        assert (line["行号"], line["字段"], line["值"]) == ("2", "person_code", "L002")
        assert "的网格长已有已存的 Z1（李雷 L001，2026-01-01 起，没有截止）" in line["原因"]
        after = office.put("三.csv", f"{HEADER}Z1,网格长,{GRID},L001,2026-01-01,2026-05-31\n")
        assert overlaps(office.bring("duties", after).summary["warnings"]) == []
        assert counts(office.bring("duties", path)) == (1, 1, 0, 0, 0), "once the stored one has ended"

    def test_a_file_that_ends_the_stored_one_and_brings_the_next(self, office: Office) -> None:
        office.bring("duties", office.put("一.csv", f"{HEADER}Z1,网格长,{GRID},L001,2026-01-01,\n"))
        rows = f"Z2,网格长,{GRID},L002,2026-06-01,\nZ1,网格长,{GRID},L001,2026-01-01,2026-05-31\n"
        assert counts(office.bring("duties", office.put("二.csv", HEADER + rows))) == (2, 2, 0, 1, 0)

    def test_an_overlap_that_is_stored_already_stays_told_and_may_be_made_smaller(self, office: Office) -> None:
        rows = f"Z1,网格长,{GRID},L001,2026-01-01,\nZ2,网格长,{GRID},L002,2026-06-01,\n"
        office.bring("duties", office.put("一.csv", HEADER + rows))
        again = office.bring("duties", office.put("一.csv", HEADER + rows))
        assert counts(again) == (2, 2, 0, 0, 2) and len(overlaps(again.summary["warnings"])) == 1
        smaller = office.put("二.csv", f"{HEADER}Z2,网格长,{GRID},L002,2026-06-01,2026-12-31\n")
        done = office.bring("duties", smaller)
        assert counts(done) == (1, 1, 0, 1, 0)
        (line,) = overlaps(done.summary["warnings"])
        assert "已存的 Z1，L001，2026-01-01 起，没有截止；第 2 行，L002，2026-06-01 起，到 2026-12-31" in line
        wider = office.put("三.csv", f"{HEADER}Z2,网格长,{GRID},L002,2026-06-01,2027-12-31\n")
        assert counts(office.bring("duties", wider)) == (1, 0, 1, 0, 0)

    def test_one_after_the_other_and_roles_of_many_are_no_overlap(self, office: Office) -> None:
        rows = (
            f"Z1,网格长,{GRID},L001,2026-01-01,2026-05-31\nZ2,网格长,{GRID},L002,2026-06-01,\n"
            f"Z3,专职网格员,{GRID},L001,,\nZ4,专职网格员,{GRID},L002,,\n"
        )
        assert overlaps(office.bring("duties", office.put("责任.csv", HEADER + rows)).summary["warnings"]) == []
