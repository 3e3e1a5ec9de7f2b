"""What a room says of a register that is kept by hand: its fields, its list, and how a row's place is found.

Plain descriptions: lists, forms, filters, the interface and exports all read the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

Fault = tuple[str, str]
Values = Mapping[str, Any]

# How a field is parsed, filtered and shown.
TEXT, LONG, CODE, CHOICE, PHONE, PERSON, DATE, MOMENT, WHOLE, REFERENCE = (
    "text",
    "long",
    "code",
    "choice",
    "phone",
    "person",
    "date",
    "moment",
    "whole",
    "reference",
)
KINDS = (TEXT, LONG, CODE, CHOICE, PHONE, PERSON, DATE, MOMENT, WHOLE, REFERENCE)

# How a row's area is found: the row is a community or a grid; by location; by duties; an organisation; own columns; by
# the subject that it names.
BY_COMMUNITY, BY_GRID, BY_PLACE, BY_DUTY, BY_UNIT, BY_COLUMNS, BY_SUBJECT = (
    "community",
    "grid",
    "place",
    "duty",
    "unit",
    "columns",
    "subject",
)


@dataclass(frozen=True)
class RegisterField:
    """One field. `choices`: stored value to Chinese word; `words`: further words (lower case) that mean a value.

    `reference`: the register whose key the field holds. `needed`: never empty. `default`: of a new row where nothing
    is said. `editable`: by hand. `filter`: whether a list can be narrowed by it. `numeric`: stored as a number.
    `computed`: what it is on a day, as SQL, where it isn't stored.
    """

    name: str
    label: str
    kind: str = TEXT
    choices: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    reference: str | None = None
    needed: bool = False
    default: Any = None
    help: str = ""
    editable: bool = True
    filter: bool = False
    sort: bool = True
    numeric: bool = False
    computed: Callable[[date], ColumnElement[Any]] | None = None

    @property
    def personal(self) -> bool:
        """Masked by role: a person's name or a phone."""
        return self.kind in (PHONE, PERSON)

    def shown(self, value: Any) -> str:
        """A stored value as a page shows it, before masking."""
        if value is None:
            return ""
        return self.choices.get(str(value), str(value)) if self.kind == CHOICE else str(value)


@dataclass(frozen=True)
class Derived:
    """A column that is worked out for the day: grid, community, leader, account, duties."""

    name: str
    label: str
    sort: bool = False
    filter: bool = False


GRID = Derived("grid", "网格", sort=True, filter=True)
COMMUNITY = Derived("community", "社区", sort=True, filter=True)
LEADER = Derived("leader", "网格长")


@dataclass(frozen=True)
class Register:
    """`name` is also the URL's and the import kind's; `noun` the trail's (frontage.change); `unit` the word of counts.

    `subject`: the kind under which duties name its rows. `propose`: a code from the values and the geometry.
    `check`: what is wrong between the values before (empty for a new row) and after. `scope`: which rows hold on a day
    beside `ended_on` (grids: those of the editions in force). `order`: the list's sort unless another is asked for;
    `then`: what orders equal ones.
    `group`: groups of states for the count strip, stored state to group; without it each state is its own. `until`: the
    column of the day from which on a row no longer holds. `own_writing`: rows are changed by steps of their own instead
    of by the general forms.
    """

    name: str
    label: str
    noun: str
    unit: str
    model: Any
    fields: tuple[RegisterField, ...]
    title: str
    listed: tuple[str, ...]
    area: str
    order: str
    key: str = "code"
    then: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    derived: tuple[Derived, ...] = ()
    state: str | None = None
    geometry: str | None = None
    geometry_needed: bool = False
    counters: tuple[str, ...] = ()
    subject: str | None = None
    read_only: bool = False
    own_writing: bool = False
    until: str = "ended_on"
    creates: bool = True
    ends: bool = True
    read_right: str = "registers.read"
    write_right: str = "registers.write"
    propose: Callable[[Values, Any], str | None] | None = None
    check: Callable[[Values, Values], Sequence[Fault]] | None = None
    scope: Callable[[Session, date], ColumnElement[bool]] | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    why_not: str = ""

    def column(self, name: str, on: date) -> Any:
        """The column of a field, or what it is worked out to be on the day."""
        computed = self.by_name[name].computed
        return getattr(self.model, name) if computed is None else computed(on)

    @property
    def by_forms(self) -> bool:
        """Whether the general forms and the general interface change its rows."""
        return not self.read_only and not self.own_writing

    @cached_property
    def by_name(self) -> dict[str, RegisterField]:
        return {one.name: one for one in self.fields}

    @cached_property
    def editable(self) -> tuple[RegisterField, ...]:
        """The fields that a form shows for an existing row."""
        return () if self.read_only else tuple(one for one in self.fields if one.editable)

    @cached_property
    def _all(self) -> tuple[RegisterField | Derived, ...]:
        return (*self.fields, *self.derived)

    @cached_property
    def columns(self) -> dict[str, str]:
        """Every column that a list can show, with its label: fields first, then what is derived."""
        return {one.name: one.label for one in self._all}

    @cached_property
    def sortable(self) -> tuple[str, ...]:
        return tuple(one.name for one in self._all if one.sort)

    @cached_property
    def filters(self) -> tuple[RegisterField | Derived, ...]:
        return tuple(one for one in self._all if one.filter)

    @property
    def states(self) -> Mapping[str, str]:
        """The count strip: state (or group) to its word, in order."""
        return self.groups or (self.by_name[self.state].choices if self.state else {})
