"""Walking the trail: a changed, removed, inserted or cut-off line, and lines rewritten with a recomputed chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from service.records import counters
from service.records.audit import GENESIS, line_hash, lines
from service.records.audit_heads import NAME, Head

CHANGED, REMOVED, INSERTED, CUT, REWRITTEN, HEADS_GONE = (
    "changed", "removed", "inserted", "cut_off", "rewritten", "heads_gone",
)  # fmt: skip
_MOST_TOLD = 20
_FIND_HEADS = "从备份或别处的副本找回来再核对；重启服务会写新的。"


@dataclass(frozen=True)
class Fault:
    """What is wrong at which line; `message` is for the administrator."""

    kind: str
    line: int
    message: str


@dataclass(frozen=True)
class Verdict:
    """How many lines were walked and what was found."""

    walked: int
    faults: list[Fault]
    heads: int = 0

    @property
    def sound(self) -> bool:
        return not self.faults

    @property
    def lines(self) -> list[str]:
        """What to tell the administrator, one sentence a line."""
        if not self.sound:
            more = len(self.faults) - _MOST_TOLD
            told = [f"✗ {fault.message}" for fault in self.faults[:_MOST_TOLD]]
            return [*told, f"✗ 还有 {more} 处。"] if more > 0 else told
        compared = f"，和库外的 {self.heads} 个链头一致" if self.heads else "；库外还没有链头，服务启动时会写第一个"
        return [f"操作记录 {self.walked} 行，一行不少，一字未改{compared}。"]


def verify(session: Session, heads: Sequence[Head]) -> Verdict:
    """Walk every line; compare with the heads that were written outside the database."""
    faults: list[Fault] = []
    at_heads: dict[int, str] = {head.number: "" for head in heads if head.number}
    walked, reached, hash_before, served = 0, 0, GENESIS, False
    for entry in lines(session):
        walked += 1
        served = served or entry.action == "sign_in"
        if entry.id < 1:
            faults.append(Fault(INSERTED, entry.id, f"第 {entry.id} 行是插进来的：编号从 1 开始。"))
            continue
        if entry.id > reached + 1:
            faults.append(_removed(reached + 1, entry.id - 1))
        elif entry.previous != hash_before:
            faults.append(Fault(INSERTED, entry.id, f"第 {entry.id} 行接不上前一行：前面有一行被换过、插入或删去。"))
        if line_hash(entry) != entry.hash:
            faults.append(Fault(CHANGED, entry.id, f"第 {entry.id} 行的内容被改过，和它的校验值不符。"))
        if entry.id in at_heads:
            at_heads[entry.id] = entry.hash
        reached, hash_before = entry.id, entry.hash
    faults += _end(session, reached)
    faults += _against(heads, at_heads, reached)
    if served and not heads:  # the service writes one before anybody can sign in
        faults.append(Fault(HEADS_GONE, 0, f"库外的链头文件 {NAME} 没有了或是空的：整段重写就看不出来。{_FIND_HEADS}"))
    return Verdict(walked, faults, len(heads))


def _removed(first: int, last: int) -> Fault:
    told = f"第 {first} 行被删掉了。" if first == last else f"第 {first} 至 {last} 行被删掉了。"
    return Fault(REMOVED, first, told)


def _end(session: Session, reached: int) -> list[Fault]:
    """The last line against the number that the database itself counts."""
    counted = counters.read(session, counters.TRAIL)
    if counted > reached:
        return [Fault(CUT, reached + 1, f"末尾被截掉了：应有 {counted} 行，只到第 {reached} 行。")]
    if counted < reached:
        return [Fault(INSERTED, counted + 1, f"第 {counted + 1} 行起是插在末尾的：服务只写了 {counted} 行。")]
    return []


def _against(heads: Sequence[Head], found: dict[int, str], reached: int) -> list[Fault]:
    """Each head's line must be there with the hash that was written down then; only the first difference is told."""
    for head in heads:
        when = head.at.strftime("%Y-%m-%d %H:%M UTC")
        if head.number > reached:
            return [
                Fault(CUT, reached + 1, f"末尾被截掉了：{when} 的链头是第 {head.number} 行，现在只到第 {reached} 行。")
            ]
        if head.number and found[head.number] not in ("", head.hash):
            told = f"第 {head.number} 行或更早的行被整段重写过：校验值和 {when} 写在库外的链头不符。"
            return [Fault(REWRITTEN, head.number, told)]
    return []
