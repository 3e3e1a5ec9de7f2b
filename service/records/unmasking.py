"""Masked cells of a file that comes back: names, numbers and words that hide what is stored are left as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.db.base import Base
from service.db.bulk import among
from service.records.batches import visible
from service.records.importing import Column, Intake
from service.records.masking import is_masked, is_masked_words, mask_words, same_behind


def hide(intake: Intake, name: str, words: bool = False) -> None:
    """Take a field's masked cells out before they are parsed; `unmask` puts back what they hide. `words`: in words."""
    if not intake.has(name):
        return
    values = intake.values[name]
    judge = is_masked_words if words else is_masked
    found = {i: str(value) for i, value in enumerate(values.tolist()) if judge(value)}
    if found:
        values = values.copy()
        values[list(found)] = None
        intake.values[name] = values
        intake.masked[name] = found


def unmask(
    session: Session, intake: Intake, model: type[Base], codes: Column, columns: dict[str, Any], key: str = "code"
) -> None:
    """Stored values in place of the masked cells of rows that are known by their code; of new rows they are left out.

    A mask that hides another value than the stored one changes nothing either: nobody can have meant it.
    """
    names = [name for name in intake.masked if name in columns]
    if not names:
        return
    rows = sorted({i for name in names for i in intake.masked[name] if intake.alive[i] and codes[i] is not None})
    stored = _stored(session, model, key, names, {codes[i] for i in rows})
    new, other = 0, 0
    for name in names:
        values = columns[name] = np.asarray(columns[name]).copy()
        at = names.index(name)
        for i, cell in intake.masked[name].items():
            if not intake.alive[i]:
                continue
            known = stored.get(codes[i])
            if known is None:
                new += 1
                continue
            values[i] = known[at]
            same = known[at] is not None and (same_behind(cell, known[at]) or mask_words(known[at]) == cell)
            other += not same
    if new:
        intake.verdicts.warn("打码的格子（带星号的姓名、号码）在新的行里不知道是什么，没有存入；请写完整", new)
    if other:
        intake.verdicts.warn("打码的格子和登记的内容对不上，登记的没有改动；要改就写完整", other)


def _stored(session: Session, model: Any, key: str, names: list[str], codes: set[Any]) -> dict[Any, tuple[Any, ...]]:
    wanted = [getattr(model, name) for name in names]
    found = session.execute(
        select(getattr(model, key), *wanted).where(visible(model), among(getattr(model, key), codes))
    )
    return {row[0]: tuple(row[1:]) for row in found}
