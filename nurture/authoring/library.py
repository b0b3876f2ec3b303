"""Which campaigns and templates are in force? The last good version of every file.

`reload` looks at the files again: a file with problems never replaces what was good, a template
that breaks goes on with its former words, and a campaign whose file is gone is reported as missing.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nurture.authoring import in_force
from nurture.authoring.campaign_file import Surroundings, read_partly
from nurture.authoring.content_file import ContentFiles
from nurture.authoring.lint import campaign_problems, in_their_places
from nurture.authoring.notices import good_notices
from nurture.authoring.words import template_problems
from nurture.config import Config
from nurture.core.content import Shelf
from nurture.core.model import Campaign
from nurture.errors import Problem, Problems, shown
from nurture.files import read_bytes
from nurture.rendering.broad_reasons import FILE as REASONS
from nurture.rendering.broad_reasons import Reasons, load_reasons
from nurture.rendering.context import TEMPLATE_FINDS
from nurture.rendering.templates import LAYOUTS, NOTICES, Template, load_templates, questions_of
from nurture.store.revisions import Revision

Stat = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Reloaded:
    """What one look at the files changed. `campaigns` are names, `templates` are keys."""

    campaigns: frozenset[str] = frozenset()  #: new, changed or gone
    templates: frozenset[str] = frozenset()  #: new, changed, gone, or with another layout
    content: bool = False  #: whether anything in the content library is
    missing: frozenset[str] = frozenset()  #: campaigns that were in force and have no file now
    reasons: bool = False  #: what may be said of rejections is another
    problems: tuple[Problem, ...] = ()  #: all there are now, not only new ones

    def __bool__(self) -> bool:
        return bool(self.campaigns or self.templates or self.content or self.reasons)


class Library:
    """The campaigns and templates of one project folder.

    `campaigns` by name and `templates` by key (`name`, or `name.de` for a translation) hold the
    last good version of each; `problems` is everything wrong with the files as they are now.
    """

    def __init__(self, config: Config, *, with_former: bool = True) -> None:
        """`with_former`: where a file is broken, go on with what was in force before."""
        self.config = config
        self.campaigns: Mapping[str, Campaign] = {}
        self.templates: Mapping[str, Template] = {}
        #: The words in force of mail to our own people, by key.
        self.notices: Mapping[str, Template] = {}
        #: What may be said about why somebody was rejected.
        self.reasons = Reasons()
        self.missing: frozenset[str] = frozenset()
        self.problems: tuple[Problem, ...] = ()
        self._seen: Mapping[Path, Stat] | None = None
        self.layouts: Mapping[str, str] = {}  #: the texts of those that can be read, by name
        self._layouts: Mapping[str, str] = {}  # digests of all
        self._sources: Mapping[str, str] = {}  # the whole files of `campaigns`
        self._content = ContentFiles()
        self._bad_templates: list[Problem] = []
        self._unfit: Mapping[str, Template] = {}
        self._questions: Mapping[str, Collection[str]] = {}
        self._bad_campaigns: dict[str, tuple[Problem, ...]] = {}
        #: Campaigns that can be read, but are not fit to be in force, each with its file's text.
        self.unfit_campaigns: dict[str, tuple[Campaign, str]] = {}
        self._warned: dict[str, tuple[Problem, ...]] = {}  # of campaigns that are in force
        self._digests: dict[str, str] = {}  # of campaign files as last read, good or bad
        found = self.reload()
        former = in_force.copies(config) if with_former else None
        broken = any(problem.severity == "error" for problem in found.problems)
        if former is not None and broken:
            last_good = Library(former)
            self.campaigns = {**last_good.campaigns, **self.campaigns}
            self._sources = {**last_good._sources, **self._sources}
            self.templates = {**last_good.templates, **self.templates}
            if not self.reasons.phrases:
                self.reasons = last_good.reasons
            self._content.inherit(last_good._content)
            self._seen, self._digests = None, {}
            self.reload()

    @property
    def titles(self) -> dict[str, str]:
        """What people call the campaigns, by name."""
        return {name: campaign.title for name, campaign in self.campaigns.items()}

    def reload(self) -> Reloaded:
        """Read what changed since the last look; nothing is read when nothing changed."""
        seen = self._look()
        if seen == self._seen:
            return Reloaded(missing=self.missing, problems=self.problems)
        before = self.templates
        try:
            changed_content = self._content.reload(self.config.content_dir)
            changed_templates = self._reload_templates()
            changed_campaigns = self._reload_campaigns(changed_templates)
            reasons, bad_reasons = load_reasons(self.config.root, self._languages())
        except FileNotFoundError:  # a file went while we read: look again next time
            self.templates = before
            return Reloaded(missing=self.missing, problems=self.problems)
        # A file that was written while we read it is read again next time.
        self._seen = seen if self._look() == seen else None
        before_reasons, self.reasons = self.reasons, reasons or self.reasons
        found = [*self._content.problems, *self._bad_templates, *bad_reasons, *_other_suffix(seen)]
        for problems in (*self._bad_campaigns.values(), *self._warned.values()):
            found += problems
        self.problems = tuple(sorted(set(found)))
        return Reloaded(
            campaigns=changed_campaigns,
            templates=changed_templates,
            content=changed_content,
            missing=self.missing,
            reasons=self.reasons != before_reasons,
            problems=self.problems,
        )

    @property
    def content(self) -> Shelf:
        """What is in force of the content library."""
        return self._content.shelf

    @property
    def sources(self) -> Mapping[str, str]:
        """The files of `campaigns`, whole, by name."""
        return self._sources

    @property
    def unfit(self) -> Mapping[str, Template]:
        """Templates that can be read, but are not fit to be in force."""
        return self._unfit

    def revisions(self) -> list[Revision]:
        """Every file in force, whole: what is kept, so that it can be read when it is gone."""
        campaigns = (
            Revision("campaign", name, each.digest, self._sources[name])
            for name, each in self.campaigns.items()
        )
        templates = (
            Revision("template", each.path, each.digest, each.source)
            for each in self.templates.values()
        )
        layouts = (
            Revision("layout", name, self._layouts[name], text)
            for name, text in self.layouts.items()
        )
        content = (
            Revision("content", name, each.digest, each.source)
            for name, each in self._content.files.items()
        )
        return [*campaigns, *templates, *layouts, *content]

    def keep(self) -> None:
        """Let the versions in force outlive this process."""
        content = self._content.files
        in_force.keep(self.config, self.campaigns, self.templates, self.reasons, content)

    def _look(self) -> dict[Path, Stat]:
        seen: dict[Path, Stat] = {}
        folders = (
            self.config.campaigns_dir.glob("*"),
            self.config.content_dir.glob("*"),
            self.config.templates_dir.rglob("*"),
        )
        one = [self.config.root / REASONS]
        for path in (path for folder in (*folders, one) for path in folder):
            try:
                stat = path.stat() if path.exists() else path.lstat()  # a link to nothing is seen
            except OSError:
                continue
            seen[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_ctime_ns)
        return seen

    def _languages(self) -> set[str]:
        """In which languages letters say why somebody was rejected."""
        own = self.config.locale.partition("-")[0].lower()
        said = {
            (each.locale or own).partition("-")[0].lower()
            for each in self.templates.values()
            if any(word in each.body for word in ("broad_reason", *TEMPLATE_FINDS))
        }
        return said | {own}

    # --- templates

    def _reload_templates(self) -> frozenset[str]:
        good, problems = load_templates(self.config.root)
        old = (each for key, each in self.templates.items() if self._keeps(key, good))
        asked = questions_of([*good.values(), *old]).keys()
        unfit: dict[str, Template] = {}
        for key, template in list(good.items()):
            found = template_problems(template, self.config, asked, self._content.kinds)
            problems += found
            if any(problem.severity == "error" for problem in found):
                unfit[key] = good.pop(key)
        raw_layouts = self._read_layouts()
        layouts = {name: _digest(raw) for name, raw in raw_layouts.items()}
        kept = {key: old for key, old in self.templates.items() if self._keeps(key, good)}
        templates = {**kept, **good}
        changed = {
            key
            for key in self.templates.keys() | templates.keys()
            if self.templates.get(key) != templates.get(key)
        }
        changed |= {
            key
            for key, template in templates.items()
            if layouts.get(template.layout) != self._layouts.get(template.layout)
        }
        self.templates, self._layouts = templates, layouts
        self.layouts = {name: text for name, raw in raw_layouts.items() if (text := _text(raw))}
        notices, wrong = good_notices(self.config, self.notices)
        if notices != self.notices:
            self.notices = notices
        self._bad_templates, self._unfit = problems + wrong, unfit
        return frozenset(changed)

    def _keeps(self, key: str, good: Mapping[str, Template]) -> bool:
        """An old version stays while its file is there but bad, or a campaign still sends it."""
        if key in good:
            return False
        path = self.config.templates_dir / key
        if any(path.with_name(f"{path.name}{suffix}").exists() for suffix in (".md", ".html")):
            return True
        sent = {step.send for one in self.campaigns.values() for step in one.every_step()}
        return key in sent

    def _read_layouts(self) -> dict[str, bytes]:
        folder = self.config.templates_dir / LAYOUTS
        return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.html"))}

    def _broken(self) -> frozenset[str]:
        """Names of templates that have a file and no good version."""
        names = set()
        folder = self.config.templates_dir
        for path in folder.rglob("*"):
            below = path.relative_to(folder)
            if path.suffix in (".md", ".html") and below.parts[0] not in (LAYOUTS, NOTICES):
                name = below.with_suffix("").as_posix()
                if name not in self.templates:
                    names.add(name)
        return frozenset(names)

    # --- campaigns

    def _reload_campaigns(self, changed_templates: frozenset[str]) -> frozenset[str]:
        around = Surroundings(self.config, self.templates, self._broken(), self._unfit)
        asked_anew = around.questions != self._questions  # any campaign may speak of answers
        self._questions = around.questions
        campaigns, sources = dict(self.campaigns), dict(self._sources)
        there: set[str] = set()
        for path in _campaign_files(self.config.campaigns_dir):
            name = path.stem
            there.add(name)
            try:
                raw = read_bytes(path, shown(path))
            except FileNotFoundError:
                there.discard(name)
                continue
            except Problems as unreadable:
                self._bad_campaigns[name] = tuple(unreadable.problems)
                continue
            if not asked_anew and not self._affected(name, _digest(raw), changed_templates):
                continue
            self._forget(name)
            campaign, problems = _read(raw, shown(path), around)
            if campaign is None or any(problem.severity == "error" for problem in problems):
                self._bad_campaigns[name] = problems
                if campaign is not None and in_their_places(problems):
                    self.unfit_campaigns[name] = (campaign, raw.decode())
            else:
                campaigns[name], sources[name] = campaign, raw.decode()
                self._warned[name] = problems
            self._digests[name] = _digest(raw)
        for name in (self._digests.keys() | self._bad_campaigns.keys()) - there:
            self._digests.pop(name, None)
            self._forget(name)
        gone = campaigns.keys() - there
        campaigns = {name: one for name, one in sorted(campaigns.items()) if name in there}
        changed = frozenset(
            name
            for name in self.campaigns.keys() | campaigns.keys()
            if self.campaigns.get(name) != campaigns.get(name)
        )
        self.missing = frozenset((self.missing | gone) - there)
        self.campaigns, self._sources = campaigns, sources
        return changed

    def _forget(self, name: str) -> None:
        """What was found in a file that is another now, or gone."""
        for found in (self._bad_campaigns, self._warned, self.unfit_campaigns):
            found.pop(name, None)

    def _affected(self, name: str, digest: str, changed_templates: frozenset[str]) -> bool:
        """Whether a campaign file, or a template that it sends, is another than last time."""
        campaign = self.campaigns.get(name)
        if self._digests.get(name) != digest or name in self._bad_campaigns or campaign is None:
            return True
        changed = {self.templates[key].name for key in changed_templates if key in self.templates}
        changed |= changed_templates
        return any(step.send in changed for step in campaign.every_step())


def _read(
    raw: bytes, file: str, around: Surroundings
) -> tuple[Campaign | None, tuple[Problem, ...]]:
    """What can be made of a campaign file, and all that is wrong with it."""
    try:
        campaign, problems = read_partly(raw, file, around)
    except Problems as unreadable:
        return None, tuple(unreadable.problems)
    if campaign is not None:
        problems += campaign_problems(campaign, raw.decode(), around.config, problems)
    return campaign, tuple(problems)


def _campaign_files(folder: Path) -> Iterable[Path]:
    return [path for path in sorted(folder.glob("*.yaml")) if not path.name.startswith(".")]


def _other_suffix(seen: Iterable[Path]) -> list[Problem]:
    return [
        Problem(
            file=shown(path),
            code="file-name",
            message=f'"{path.name}" is not read',
            hint="name it .yaml",
            severity="warning",
        )
        for path in seen
        if path.suffix == ".yml" and path.parent.name == "campaigns"
    ]


def _text(raw: bytes) -> str | None:
    """None for what is no text, or none that a database keeps."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
