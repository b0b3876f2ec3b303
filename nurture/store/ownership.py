"""Whose candidates are these? Of whom somebody is recruiter, coordinator or hiring manager."""

from typing import Any

from sqlalchemy import Column, ColumnElement, select, union

from nurture.store.accounts import key_of
from nurture.store.tables import applications, candidates

#: The keys of an application's `data` that name its people, and the columns that repeat them.
ROLES = ("recruiter", "coordinator", "hiring_manager")


def owned(email: str, column: Column[Any] = candidates.c.id) -> ColumnElement[bool]:
    """A condition on `column`, a candidate's number: some application of theirs, of any status,
    names this person."""
    own, who = applications.c, key_of(email)
    return column.in_(union(*(select(own.candidate_id).where(own[role] == who) for role in ROLES)))
