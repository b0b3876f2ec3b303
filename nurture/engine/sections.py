"""Which sections does a mail have when it goes, and what becomes of each?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from nurture.config import Config
from nurture.core.agenda import Item
from nurture.core.journey import Key
from nurture.core.model import (
    Facts,
    Message,
    MessageClass,
    MessageState,
    Reason,
    Section,
    Verdict,
)
from nurture.core.outcome import Consequence
from nurture.engine.planner import MEND_AFTER, Planned
from nurture.engine.recording import OURS, by_key, key_of
from nurture.rendering.mime import message_id_for
from nurture.store.planning import SentBy

_SAID = ("campaign", "template", "category", "application")
_REVISIONS = ("campaign_digest", "template_digest")


def first_to_go(planned: Planned) -> tuple[Message, Facts] | None:
    """The most necessary message that is decided and still to be sent, with the sections that it
    has now."""
    known = {**by_key(planned.facts.messages), **planned.new}
    in_order = sorted(planned.agenda.items, key=_necessity)
    for item in in_order:
        message = known.get(item.key)
        if (
            item.verdict is Verdict.SEND
            and item.joins is None
            and message is not None
            and message.state in OURS
            # Else its row was only now given the words and the category of an edited step.
            and message.template == item.step.send
            and item.category is not None
            and message.category == item.category.name
        ):
            joined = [each for each in in_order if each.joins == item.key]
            parts = tuple(section_of(each) for each in (item, *joined)) if joined else ()
            why = replace(message, reason=item.reason, detail=item.detail, content=item.content)
            return replace(why, sections=parts), planned.facts
    return None


def section_of(item: Item) -> Section:
    return Section(
        **item.key._asdict(),
        campaign=item.campaign,
        template=item.step.send or "",
        category=item.category.name if item.category else "",
        application=item.application,
        content=item.content,
    )


def had_sections(message: Message, facts: Facts) -> bool:
    """Whether its row says so still: it was tried as a bundle."""
    return any(each.sections for each in facts.messages if each.id == message.id)


def digests_in(bundles: Mapping[int, Sequence[Mapping[str, Any]]]) -> list[list[str | None]]:
    return [[row[name] for name in _REVISIONS] for rows in bundles.values() for row in rows]


def _necessity(item: Item) -> int:
    return -item.category.priority if item.category else 0


def row_of(part: Message | Section, sent_by: SentBy) -> dict[str, Any]:
    """A section's row with its revisions; of a mail of one step, all that is in the message's."""
    own = {**key_of(part)._asdict(), "content": _brings(part)}
    if not isinstance(part, Section):
        return {**own, **dict.fromkeys((*_SAID, *_REVISIONS))}
    revisions = {name: getattr(sent_by, name) for name in _REVISIONS}
    return {**own, **_said(part), **revisions}


def parted(
    message: Message, result: Consequence, unsaid: Mapping[Key, str], config: Config, now: datetime
) -> list[dict[str, Any]]:
    """Rows of messages for sections that go without their bundle from here on: they could not be
    written, or somebody refused what the bundle says."""
    rows = []
    for part in message.sections[1:]:
        why = unsaid.get(key_of(part))
        if why is not None:
            told = (Reason.CANNOT_RENDER, why, now + MEND_AFTER)
        elif result.parts:
            told = (Reason.REFUSED, result.text, now)
        else:
            continue
        reason, said, again_at = told
        own = {"reason": reason, "detail": {"said": said}, "next_attempt_at": again_at}
        rows.append({**_own(part, message.candidate_id, config, now), **own})
    return rows


def freed(message: Message, result: Consequence) -> list[Key]:
    """Sections that wait for no mail whose first section cannot be written."""
    if result.reason is not Reason.CANNOT_RENDER:
        return []
    return [key_of(part) for part in message.sections[1:]]


def _own(part: Section, candidate_id: int, config: Config, now: datetime) -> dict[str, Any]:
    domain = config.sender.email.partition("@")[2]
    category = config.categories.get(part.category)
    return {
        **key_of(part)._asdict(),
        **_said(part),
        "content": _brings(part),
        "candidate_id": candidate_id,
        "message_id": message_id_for(part.enrollment_id, part.step, part.occurrence, domain),
        "klass": category.klass if category is not None else MessageClass.SERVICE,
        "state": MessageState.RETRYING,
        "created_at": now,
    }


def _brings(part: Message | Section) -> list[str] | None:
    return list(part.content) or None


def _said(part: Section) -> dict[str, Any]:
    return {name: getattr(part, name) for name in _SAID}


def settled(
    section: Mapping[str, Any],
    first: Mapping[str, Any],
    result: Consequence,
    now: datetime,
    message: Message,
) -> Mapping[str, Any]:
    """The verdict row of one section of a message that is at its end; of a mail of one step, that
    is its first. One that somebody wanted at once says so for ever."""
    sent = result.state is MessageState.SENT
    reason = Reason.DUE if sent else result.reason
    detail: dict[str, Any] = {} if sent else {"said": result.text}
    if sent and message.reason is Reason.ASKED_FOR:
        reason, detail = Reason.ASKED_FOR, dict(message.detail)
    if sent and message.approved_by:
        detail["approved_by"] = message.approved_by
    if section is not first:
        leader = {name: first[name] for name in ("campaign", "step", "template")}
        reason = Reason.BUNDLED if sent else reason
        detail = {**detail, "with": leader}
    return {
        **section,
        "recorded_at": now,
        "verdict": Verdict.SKIP if result.state is MessageState.FAILED else Verdict.SENT,
        "reason": reason,
        "final": True,
        "at": now,
        "detail": detail,
    }
