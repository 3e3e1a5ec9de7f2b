"""What a request needs: the services that app.py wired, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, cast

from flask import current_app, g, request
from flask_login import current_user

from service.clock import local_date, utcnow
from service.config import Settings
from service.db.engine import Database
from service.errors import InvalidValue, NotAllowed, NotSignedIn
from service.incidents.columns import IncidentColumns
from service.people.access import ALL, EVERYWHERE, NOWHERE, Area, reach
from service.people.rules import Viewer
from service.places.ground import Ground
from service.records.audit import Actor
from service.records.office import Office, OfficeKeeper
from service.registers.search import Search
from service.responsibility.keeper import Responsibility
from service.responsibility.lookup import Distances
from service.responsibility.snapshot import Snapshot


class Seen(NamedTuple):
    """What a request knows of the store and of the office; `token` None when the database didn't answer."""

    token: object
    office: Office
    distances: Distances


@dataclass
class Services:
    """Wired once by app.py."""

    settings: Settings
    database: Database
    responsibility: Responsibility
    incidents: IncidentColumns
    ground: Ground
    offices: OfficeKeeper
    search: Search

    def warm(self) -> None:
        """Read today's duties, the incidents, the ground, and what the search finds."""
        self.responsibility.on(local_date(utcnow()))
        self.ground.data()
        self.incidents.current()
        self.search.on(local_date(utcnow()))

    def seen(self) -> Seen:
        """The store's token and the office's settings, asked for once a request: on PostgreSQL the token is a query."""
        try:
            kept: Seen | None = g.get("seen")
        except RuntimeError:  # outside a request nothing is kept
            return self._seen()
        if kept is None:
            kept = g.seen = self._seen()
        return kept

    def _seen(self) -> Seen:
        token, office = self.offices.current()
        return Seen(token, office, Distances(office.border_m, office.frontage_m, office.street_m, office.place_m))

    @property
    def office(self) -> Office:
        """The office's settings, fresh as of this request."""
        return self.seen().office

    @property
    def distances(self) -> Distances:
        """Metres, told in each answer."""
        return self.seen().distances


@dataclass(frozen=True)
class SignedIn:
    """The account behind a request, as plain data."""

    id: int
    name: str
    display_name: str
    role: str
    area: str | None
    unit: str | None
    person_code: str | None
    must_change: bool
    demo: bool


def services() -> Services:
    return cast(Services, current_app.extensions["steward"])


def account() -> SignedIn | None:
    """Who is signed in, by cookie or token; None for the public."""
    asked = request.environ
    if "HTTP_COOKIE" not in asked and "HTTP_AUTHORIZATION" not in asked:
        return None
    user: Any = current_user
    return cast(SignedIn, user.account) if user.is_authenticated else None


def by_token() -> bool:
    """Whether the asker came with an API token, which no browser sends along unasked: then no form's token is due."""
    return account() is not None and bool(cast(Any, current_user).by_token)


def viewer() -> Viewer:
    """The asker as far as showing goes."""
    kept: Viewer | None = g.get("viewer")
    if kept is None:
        who = account()
        kept = g.viewer = Viewer(who.role if who else None, services().office.public_map, own_area())
    return kept


def require_look() -> Viewer:
    """The viewer, when the public rule lets them look; else NotSignedIn."""
    asking = viewer()
    if not asking.may_look:
        raise NotSignedIn("请先登录再查看。")
    return asking


def require_account() -> SignedIn:
    """The account; NotSignedIn for the public."""
    who = account()
    if who is None:
        raise NotSignedIn("请先登录。")
    return who


def require_role(*roles: str) -> SignedIn:
    """The account when it has one of the roles; else NotAllowed."""
    who = require_account()
    if who.role not in roles:
        raise NotAllowed(
            "这一步要由" + "或".join({"admin": "管理员", "supervisor": "主管"}.get(r, r) for r in roles) + "来做。"
        )
    return who


def actor() -> Actor:
    """Who asks, as the trail writes it down."""
    who = account()
    if who is None:
        return Actor("公众", None, request.remote_addr)
    return Actor(who.name, who.role, request.remote_addr, who.id)


def area(right: str = "registers.read") -> Area:
    """Where the asker's right reaches today: everywhere, nowhere, or the account's own area."""
    who = account()
    far = reach(who.role if who else None, right)
    if far is None or who is None:
        return NOWHERE
    return EVERYWHERE if far == ALL else own_area()


def own_area() -> Area:
    """The account's area on this day, whatever the right; kept for the request."""
    kept: Area | None = g.get("area")
    if kept is None:
        who = account()
        kept = g.area = NOWHERE if who is None else area_of(services().responsibility.on(local_date(now())), who)
    return kept


def area_of(snapshot: Snapshot, who: SignedIn) -> Area:
    """Admin, supervisor, viewer: everywhere. Manager: own communities. Officer: what duties held or acted for name.
    Unit handler: the organisation."""
    if who.role in ("admin", "supervisor", "viewer"):
        return EVERYWHERE
    if who.role == "manager":
        return Area(communities=frozenset((who.area or "").split()), person=who.person_code)
    if who.role == "unit":
        return Area(organisation=who.unit, person=who.person_code)
    if who.person_code is None:
        return NOWHERE
    key = ("area", who.person_code)
    known = snapshot.memo.get(key)
    if known is None:
        known = snapshot.memo[key] = _area_of_duties(snapshot, who.person_code)
    return cast(Area, known)


def _area_of_duties(snapshot: Snapshot, person: str) -> Area:
    subjects = frozenset(snapshot.subjects_of(person))
    parents = {zone.code: zone.parent_code for zone in snapshot.tiling.micro_zones}
    grids = {code for kind, code in subjects if kind == "grid"}
    grids |= {parents.get(code) or code for kind, code in subjects if kind == "micro_grid"}
    whole = {code for kind, code in subjects if kind == "community"}
    homes = {zone.community_code for zone in snapshot.tiling.zones if zone.code in grids}
    return Area(
        communities=frozenset(whole),
        grids=frozenset(grids),
        person=person,
        subjects=subjects,
        homes=frozenset(homes),
    )


def now() -> datetime:
    """One moment for the whole request."""
    kept: datetime | None = g.get("now")
    if kept is None:
        kept = g.now = utcnow()
    return kept


def asked_day() -> date:
    """`on=` of the query string, else today in Shanghai. Raises InvalidValue."""
    return parse_day(request.args.get("on"))


def parse_day(text: str | None) -> date:
    """A date like 2026-11-23; empty means today in Shanghai."""
    if not text:
        return local_date(now())
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValue("on", f"日期“{text[:40]}”读不懂，写成 2026-11-23 这样。") from None
