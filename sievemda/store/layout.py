"""Where things lie below the partitions.

    PARTITION/user/alice                          home of a user          [h/] before `user` with hashimapspool
    PARTITION/domain/example.org/user/alice       ... of another domain   domain/e/example.org with hashimapspool
    HOME/Maildir                                  his Maildir++ tree: INBOX, and `.Lists`, `.Lists.Sub`
    HOME/withdrawn./                              messages that nobody has any more and that can be brought back
    PARTITION/shared                              the tree of shared folders: `.board`, `.board.sub`
    PARTITION/domain/example.org/shared           ... of another domain
    PARTITION/stage./                             messages and folders that are not in place yet
    PARTITION/moving./                            notes about what is being renamed
    PARTITION/deleted./                           what was deleted and can still be brought back

A folder on another partition than its tree lies at the corresponding place there, with a symbolic link in the tree.

Why links are looked at: users may have shells. A link in a home that leads out of the partitions would let its owner
have the server write where he may not.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from os.path import lexists
from pathlib import Path

from sievemda.config import Settings
from sievemda.errors import ConfigurationError, DataError, TemporaryTrouble
from sievemda.store.files import NOT_THERE, is_directory
from sievemda.store.hashing import first_letter, full_hash, laid_otherwise
from sievemda.store.names import Namespace
from sievemda.store.partitions import HOMES, STAGE, Partitions
from sievemda.store.spelling import from_disk, in_utf8, is_plain, to_disk

MAILDIR = "Maildir"
DELETED = "deleted."
MOVING = "moving."
OURS = {STAGE, DELETED, MOVING}
_RESERVED = {"user", "domain", "shared"} | OURS  # at the top of a partition
_log = logging.getLogger(__name__)
_PLACEHOLDER = re.compile(r"\{(user|local|domain|hash|domainhash)\}")


@dataclass(frozen=True, slots=True)
class Tree:
    """One Maildir++ tree that may exist: a user's, or the shared folders of a domain on one partition."""

    owner: str | None
    domain: str
    partition: str
    root: Path

    def folder(self, path: tuple[str, ...]) -> Path:
        """Where the folder is, or would be made."""
        if not path:
            return self.root
        usual, other = to_disk(path), in_utf8(path)
        if other not in ("", usual) and not lexists(f"{self.root}/{usual}") and lexists(f"{self.root}/{other}"):
            return self.root / other
        return self.root / usual

    def folders(self) -> Iterator[tuple[str, ...]]:
        """The paths of what look like folders of the tree, in no order; `()` when the root is an INBOX."""
        for path, _ in self.entries():
            yield path

    def entries(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """As `folders`, each with its directory where no other look is needed: it is no link, and is spelled one way.

        For lists of very many: the directory of the tree says all of it.
        """
        if self.owner is not None:
            yield (), str(self.root)
        try:
            with os.scandir(self.root) as found:
                for entry in found:
                    if entry.name[0] == "." and (path := from_disk(entry.name)):
                        sure = is_plain(entry.name) and entry.is_dir(follow_symlinks=False)
                        yield path, entry.path if sure else ""
        except (FileNotFoundError, NotADirectoryError):
            return


class Layout:
    """Raises ConfigurationError for a store that was filled with other settings than these."""

    def __init__(self, settings: Settings, namespace: Namespace, *, checked: bool = True) -> None:
        """Not `checked`: whoever asks is about to move what lies elsewhere."""
        self.disks = Partitions(settings)
        self.partitions = self.disks.paths
        self.default = self.disks.default
        self._namespace = namespace
        self._template = settings.store.mail_home and str(settings.data.absolute() / settings.store.mail_home)
        fixed = _PLACEHOLDER.split(self._template, maxsplit=1)[0].rpartition("/")[0]
        self._template_root = Path(fixed or self.partitions[self.default])
        if self._template:
            self.disks.look(HOMES, self._template_root)
        self._default_domain = settings.domain
        self._hash = settings.store.hashimapspool
        self._told_away = False
        self._letter = full_hash if settings.store.fulldirhash else first_letter
        others = [name for name in self.partitions if name != self.default]
        self._ordered = ([self.default] if self.default in self.partitions else []) + others
        # Names alone decide it, and every look-up of a delivery asks: what is kept is no knowledge of the disk.
        self.home = lru_cache(maxsize=4096)(self._home)
        if checked:
            self._check_hashing()

    # -- partitions ------------------------------------------------------------------------------------------------

    def _check_hashing(self) -> None:
        """ConfigurationError when a partition was filled with another hashimapspool or fulldirhash."""
        if self._template:
            return
        for name, root in self.partitions.items():
            if found := laid_otherwise(str(root), hashed=self._hash, full=self._letter is full_hash):
                raise ConfigurationError(
                    f"store.hashimapspool, store.fulldirhash: {found} lies where other values of them put it, and would"
                    f" not be found; set them back, or move what partition {name} has: reconstruct --rehash"
                )

    def partition(self, name: str) -> Path:
        return self.disks.path(name)

    def stage(self, partition: str) -> Path:
        return self.partition(partition) / STAGE

    def check_there(self, partition: str = "") -> None:
        """TemporaryTrouble when somebody who is not found may have his mail on a disk, or on that one, that is away."""
        if partition:
            self.disks.check(partition, self.partition(partition))
        else:
            self.disks.check_all(self._template_root if self._template else None)

    def tell_if_away(self, partition: str = "", *, again: bool = True) -> bool:
        """For lists and the like: what lies on a disk that is away is missing in them. Whether there is such a disk.

        That is told; once is enough when it is not to be told `again`.
        """
        try:
            self.check_there(partition)
        except TemporaryTrouble as error:
            if again or not self._told_away:
                self._told_away = True
                _log.error("not everything can be seen: %s", error)
            return True
        return False

    def deleted(self, partition: str) -> Path:
        return self.partition(partition) / DELETED

    def holds(self, path: Path) -> bool:
        """Whether a path is a partition or home directories, or lies below one."""
        roots = (*self.partitions.values(), self._template_root)
        return any(path.is_relative_to(root) for root in roots)

    def really_holds(self, path: Path) -> bool:
        """Whether a path lies below one when links on its way are followed."""
        place = path.parent.resolve() / path.name
        roots = (*self.partitions.values(), self._template_root)
        return path.name != ".." and any(root.resolve() in place.parents for root in roots)

    def partition_of(self, path: Path) -> str:
        """The partition that holds a path, else the default one."""
        holding = [name for name, root in self.partitions.items() if path.is_relative_to(root)]
        return max(holding, key=lambda name: len(self.partitions[name].parts), default=self.default)

    def inside(self, path: Path) -> Path | None:
        """`path` when it is a directory, its target when it is a link to one inside the partitions, else None."""
        target = _link_target(path)
        if target is None or target is path:
            return target
        roots = [root.resolve() for root in (*self.partitions.values(), self._template_root)]
        return target if any(root in target.parents for root in roots) else None

    def maildir(self, userid: str, home: Path) -> Path | None:
        """The Maildir in a home. A user may have put a link there: not to what is somebody else's or the store's."""
        usual = home / MAILDIR
        root = self.inside(usual)
        return None if root is not None and root is not usual and self._is_reserved(root, userid) else root

    def _is_reserved(self, target: Path, userid: str) -> bool:
        own = [self.below(userid, partition) for partition in self.partitions]
        own += [home for _, home in self.homes(userid)]
        if any(target.is_relative_to(home.resolve()) for home in own):
            return False
        for root in (path.resolve() for path in self.partitions.values()):
            if target.is_relative_to(root):
                first, second, *_ = (*target.relative_to(root).parts, "", "")
                if first in _RESERVED or (self._hash and second == "user"):
                    return True
        return bool(self._template) and target.is_relative_to(self._template_root.resolve())

    def folder(self, tree: Tree, path: tuple[str, ...]) -> tuple[Path, str] | None:
        """The directory of a folder and its partition; a link must lead to where the folders of its tree lie there.

        Whatever the name: an IMAP server that renames a folder renames the link and nothing else.
        """
        seen = tree.folder(path)
        target = _link_target(seen)
        if target is None or target is seen:
            return None if target is None else (target, tree.partition)
        if from_disk(target.name) and target.parent != tree.root.resolve():
            for partition in self.partitions:
                if self.place(tree.owner, tree.domain, path, partition).parent.resolve() == target.parent:
                    return target, partition
        return None

    def place(self, owner: str | None, domain: str, path: tuple[str, ...], partition: str) -> Path:
        """Where a folder lies when it is on that partition, whatever mail_home says of its tree."""
        if owner is None:
            return self._domain_root(partition, domain) / "shared" / to_disk(path)
        return self.below(owner, partition) / MAILDIR / to_disk(path)

    # -- users -----------------------------------------------------------------------------------------------------

    def homes(self, userid: str) -> Iterator[tuple[str, Path]]:
        """The places where the home of a user may be, with their partitions, the likeliest first."""
        if self._template:
            home = self.home(userid, self.default)
            yield self.partition_of(home), home
            return
        for partition in self._ordered:
            yield partition, self.home(userid, partition)

    def _home(self, userid: str, partition: str) -> Path:
        """Where the home of a user is, when it is on that partition."""
        if not self._template:
            return self.below(userid, partition)
        return Path("/", *(self._filled(part, userid) for part in _parts(self._template)))

    def below(self, userid: str, partition: str) -> Path:
        parts = self._scheme(with_domain="@" in userid)
        return self.partition(partition).joinpath(*(self._filled(part, userid) for part in parts))

    def _scheme(self, *, with_domain: bool) -> list[str]:
        """The home of a user below its partition."""
        domain = (
            (["domain", "{domainhash}", "{domain}"] if self._hash else ["domain", "{domain}"]) if with_domain else []
        )
        return [*domain, *(["{hash}"] if self._hash else []), "user", "{local}"]

    def _filled(self, part: str, userid: str) -> str:
        local, _, domain = userid.partition("@")
        values = {"user": userid, "local": local, "domain": domain or self._default_domain}
        values |= {"hash": self._letter(local), "domainhash": self._letter(domain)}
        return _PLACEHOLDER.sub(lambda match: values[match[1]], part)

    def tree(self, userid: str, partition: str, home: Path) -> Tree:
        return Tree(userid, "", partition, home / MAILDIR)

    def users(self) -> Iterator[str]:
        """Everybody who has a home, in no order, each once or more often."""
        if self._template:
            yield from self._walk(Path("/"), _parts(self._template))
            return
        for partition in self._ordered:
            for with_domain in (False, True):
                yield from self._walk(self.partition(partition), self._scheme(with_domain=with_domain))

    def _walk(self, root: Path, parts: list[str]) -> Iterator[str]:
        """Directories below `root` that match a template, as the users whose homes they are."""
        for values in _matches(root, parts, {}):
            userid = values.get("user") or values["local"]
            domain = values.get("domain", "")
            if "user" not in values and domain and domain != self._default_domain:
                userid = f"{userid}@{domain}"
            try:
                if self._namespace.userid(userid) == userid:
                    yield userid
            except DataError:
                continue

    # -- shared folders ----------------------------------------------------------------------------------------------

    def shared(self, domain: str) -> Iterator[Tree]:
        """The trees of shared folders, that of the default partition first."""
        for partition in self._ordered:
            yield Tree(None, domain, partition, self._domain_root(partition, domain) / "shared")

    def domains(self) -> Iterator[str]:
        """Domains that have shared folders, "" for the default one first."""
        yield ""
        seen = set()
        for partition in self._ordered:
            parts = ["domain", *(["{domainhash}"] if self._hash else []), "{domain}", "shared"]
            for values in _matches(self.partition(partition), parts, {}):
                if values["domain"] not in seen:
                    seen.add(values["domain"])
                    yield values["domain"]

    def _domain_root(self, partition: str, domain: str) -> Path:
        root = self.partition(partition)
        if not domain:
            return root
        return root / "domain" / self._letter(domain) / domain if self._hash else root / "domain" / domain


def _parts(template: str) -> list[str]:
    return [part for part in template.split("/") if part]


def _link_target(path: Path) -> Path | None:
    """`path` when it is a directory, where it leads to when it is a link to one, else None.

    OSError when that cannot be told: whose home cannot be seen now is not unknown.
    """
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISDIR(mode):
            return path
        if not stat.S_ISLNK(mode):
            return None
        target = path.resolve(strict=True)
    except (ValueError, RuntimeError):  # what can be no name, a loop
        return None
    except OSError as error:
        if error.errno in NOT_THERE:
            return None
        raise
    return target if is_directory(target) else None


def _matches(at: Path, parts: list[str], values: dict[str, str]) -> Iterator[dict[str, str]]:
    """What the placeholders stand for in every directory below `at` that matches the parts of a template."""
    if not parts:
        yield values
        return
    part, rest = parts[0], parts[1:]
    if not _PLACEHOLDER.search(part):
        yield from _matches(at / part, rest, values)
        return
    pieces = _PLACEHOLDER.split(part)
    pattern = re.compile(
        "".join(f"(?P<{piece}>.+?)" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces))
    )
    try:
        with os.scandir(at) as found:
            names = [entry.name for entry in found]
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        match = pattern.fullmatch(name)
        if match and all(values.get(key, value) == value for key, value in match.groupdict().items()):
            yield from _matches(at / name, rest, values | match.groupdict())
