"""Which versions outlive a restart? Copies of the campaign, template and content files in force.

A file that is broken when the engine starts would otherwise have no good version to go on with, and
whoever enters meanwhile would be forgotten. The store's revisions hold the same texts and more, but
a start must know its last good versions also while the database is away, and files are read,
checked and previewed before one is opened.
"""

import errno
import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from nurture.authoring.content_file import ContentFile
from nurture.config import Config
from nurture.core.model import Campaign
from nurture.errors import OutsideError, Problems, shown
from nurture.files import read_bytes
from nurture.rendering.broad_reasons import FILE as REASONS
from nurture.rendering.broad_reasons import Reasons
from nurture.rendering.templates import LAYOUTS, Template


def copies(config: Config) -> Config | None:
    """The same project with its files as they were last in force; None if none were kept."""
    folder = config.var / "in-force"
    return config.model_copy(update={"root": folder}) if folder.is_dir() else None


def keep(
    config: Config,
    campaigns: Mapping[str, Campaign],
    templates: Mapping[str, Template],
    reasons: Reasons,
    content: Mapping[str, ContentFile],
) -> None:
    """Copy the files these were read from; of a file that is another by now, the copy stays.

    Several processes may do so at once: each makes a folder of its own, and one of them stays.
    """
    before = config.var / "in-force"
    try:
        config.var.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix="in-force.", dir=config.var))
        wanted = [(f"campaigns/{name}.yaml", each.digest) for name, each in campaigns.items()]
        if reasons.digest:
            wanted.append((REASONS, reasons.digest))
        wanted += [(f"content/{name}.yaml", each.digest) for name, each in content.items()]
        for key, template in templates.items():
            suffix = Path(template.file).suffix
            wanted.append((f"templates/{key}{suffix}", template.digest))
        for name, digest in wanted:
            _copy(name, digest, (config.root, before), new)
        layouts = config.templates_dir / LAYOUTS
        if layouts.is_dir():
            shutil.copytree(layouts, new / "templates" / LAYOUTS)
        shutil.rmtree(before, ignore_errors=True)
        try:
            new.rename(before)
        except OSError as error:
            shutil.rmtree(new, ignore_errors=True)
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise  # else another process was faster
    except OSError as error:
        raise OutsideError(f"{shown(before)} cannot be written: {error.strerror}") from error


def _copy(name: str, digest: str, sources: Iterable[Path], to: Path) -> None:
    for source in sources:
        try:
            raw = read_bytes(source / name, name)
        except (FileNotFoundError, Problems):
            continue
        if hashlib.sha256(raw).hexdigest() == digest:
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            (to / name).write_bytes(raw)
            return
