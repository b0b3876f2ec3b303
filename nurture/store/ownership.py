"""Whose candidates are these? Of whom somebody is recruiter, coordinator or hiring manager."""

from sqlalchemy import ColumnElement, func, or_, select

from nurture.store.accounts import key_of
from nurture.store.tables import applications, candidates

ROLES = ("recruiter", "coordinator", "hiring_manager")


def owned(email: str) -> ColumnElement[bool]:
    """A condition on `candidates`: an application of theirs, of any status, names this person."""
    who = key_of(email)
    named = or_(*(func.lower(applications.c.data[role].as_string()) == who for role in ROLES))
    return candidates.c.id.in_(select(applications.c.candidate_id).where(named))
