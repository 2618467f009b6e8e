"""Homes and shared folders that other values of `hashimapspool` and `fulldirhash` put elsewhere come to their places.

Each moves by one rename on its own disk, so that a run that was killed is simply begun again. The server must be
stopped meanwhile: with either settings it would take those for unknown whom it does not find. Links to folders on other
partitions are made to lead to where those are now.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from sievemda.config import Settings
from sievemda.errors import AlreadyExists, DataError, StoreTrouble
from sievemda.store.files import sync_directory
from sievemda.store.layout import MAILDIR, Layout
from sievemda.store.names import Namespace
from sievemda.upkeep.reconstruct.findings import MENDED, WOULD, Finding, Options

_SCHEMES = (  # where homes may lie, and which part of the path is the domain
    ("user/*", 0),
    ("?/user/*", 0),
    ("domain/??*/user/*", 1),
    ("domain/??*/?/user/*", 1),
    ("domain/?/*/user/*", 2),
    ("domain/?/*/?/user/*", 2),
)
_SHARED = ("domain/*/shared", "domain/?/*/shared")


def rehash(settings: Settings, options: Options, tell: Callable[[Finding], None]) -> None:
    """DataError, StoreTrouble; AlreadyExists where two homes are of one user: then nothing has moved."""
    if settings.store.mail_home:
        raise DataError("mail_home decides where the homes of users lie: move them, or change it")
    namespace = Namespace(settings)
    layout = Layout(settings, namespace, checked=False)
    moved: dict[Path, Path] = {}
    for partition, root in layout.partitions.items():
        for source, target in [*_moves(layout, namespace, partition, root)]:
            if os.path.lexists(target):
                raise AlreadyExists(f"{source} belongs to {target}, which is there already: look at both")
            moved[source] = target
    for source, target in moved.items():
        if not options.dry_run:
            try:
                _move(source, target, settings.store.folder_mode)
            except OSError as error:
                raise StoreTrouble(f"{source} cannot be moved to {target}: {error}") from error
        state = WOULD if options.dry_run else MENDED
        tell(Finding("", "hash", source, "it lies where other settings put it", f"moved to {target}", state))
    if not options.dry_run:
        _mend_links(layout)


def _moves(layout: Layout, namespace: Namespace, partition: str, root: Path) -> Iterator[tuple[Path, Path]]:
    seen = set()
    for scheme, at in _SCHEMES:
        for home in sorted(root.glob(scheme)):
            if home in seen or home.is_symlink() or not (home / MAILDIR).is_dir():
                continue
            seen.add(home)
            userid = _userid(namespace, home.relative_to(root).parts, at)
            if userid and (target := layout.below(userid, partition)) != home:
                yield home, target
    for scheme in _SHARED:
        for place in sorted(root.glob(scheme)):
            domain = place.parent.name
            target = next(tree.root for tree in layout.shared(domain) if tree.partition == partition)
            if target != place and place not in seen and _is_domain(namespace, domain):
                seen.add(place)
                yield place, target


def _userid(namespace: Namespace, parts: tuple[str, ...], domain: int) -> str:
    """Whose home lies at a path below a partition; empty when nobody can have it."""
    try:
        return namespace.user(parts[-1], parts[domain] if domain else "")
    except DataError:
        return ""


def _is_domain(namespace: Namespace, text: str) -> bool:
    try:
        return bool(namespace.domain(text))
    except DataError:
        return False


def _move(source: Path, target: Path, mode: int) -> None:
    missing = [above for above in reversed(target.parents) if not above.exists()]
    for directory in missing:
        directory.mkdir(mode=mode)
        sync_directory(directory.parent)
    source.rename(target)
    sync_directory(target.parent)
    sync_directory(source.parent)
    with suppress(OSError):  # somebody else's home is there, too
        source.parent.rmdir()
        source.parent.parent.rmdir()


def _mend_links(layout: Layout) -> None:
    """Every link of a tree that leads to nothing leads to the folder's place on another partition again."""
    users = set(layout.users())
    trees = [layout.tree(user, partition, home) for user in users for partition, home in layout.homes(user)]
    trees += [tree for domain in layout.domains() for tree in layout.shared(domain)]
    for tree in trees:
        for seen in sorted(tree.root.iterdir()) if tree.root.is_dir() else ():
            if not seen.is_symlink() or seen.exists():
                continue
            old = seen.readlink()
            for partition in layout.partitions:
                place = layout.place(tree.owner, tree.domain, ("x",), partition).parent / old.name
                if place.is_dir() and place != seen:
                    temporary = seen.with_name(f".{seen.name}.link")
                    temporary.symlink_to(place)
                    temporary.rename(seen)
                    sync_directory(seen.parent)
                    break
