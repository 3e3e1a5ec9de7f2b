"""Saved views: a list's filters, sort and columns under a name, for oneself or for everybody."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from service.errors import InvalidValue, NotFound
from service.records.models import SavedView

_MOST = 20
_LONGEST = 40


def views_of(session: Session, account_id: int, page: str) -> list[SavedView]:
    """One's own and the shared ones of a page, in the order in which they were made."""
    mine = or_(SavedView.account_id == account_id, SavedView.shared.is_(True))
    return list(session.scalars(select(SavedView).where(SavedView.page == page, mine).order_by(SavedView.id)))


def save_view(session: Session, account_id: int, page: str, name: str, query: str, shared: bool) -> SavedView:
    """A new one, or the own one of that name with other filters. Raises InvalidValue."""
    name = " ".join(name.split())
    if not name:
        raise InvalidValue("name", "给视图起个名字，如“即将到期”。")
    if len(name) > _LONGEST:
        raise InvalidValue("name", f"名字最多 {_LONGEST} 个字，这里有 {len(name)} 个。")
    own = list(session.scalars(select(SavedView).where(SavedView.page == page, SavedView.account_id == account_id)))
    found = next((one for one in own if one.name == name), None)
    if found is None:
        if len(own) >= _MOST:
            raise InvalidValue("name", f"这个名单已存了 {_MOST} 个视图，先删掉不用的。")
        found = SavedView(account_id=account_id, page=page, name=name)
        session.add(found)
    found.query, found.shared = query, shared
    session.flush()
    return found


def drop_view(session: Session, account_id: int, number: int, any_shared: bool) -> str:
    """Removes one's own (`any_shared`: or a shared one); the page that it belonged to. Raises NotFound."""
    found = session.get(SavedView, number)
    if found is None or not (found.account_id == account_id or (found.shared and any_shared)):
        raise NotFound("没有这个视图，可能已经删了。")
    page = found.page
    session.delete(found)
    return page
