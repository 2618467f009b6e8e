"""Messages of a mailbox by the first word of their subject."""

from sievemda.store import messages


def put(store, box, text, flags=()):
    return store.stage(box.partition, [f"Subject: {text}\n\n".encode()]).deliver(box, flags, last=True)


def file_of(box, text):
    (found,) = [p for part in ("new", "cur") for p in (box.path / part).iterdir() if p.read_text().split()[1] == text]
    return found


def contents(box):
    found = [path for part in ("new", "cur") for path in (box.path / part).iterdir()]
    return {path.read_text().split()[1]: set(messages.flags_of(box, path)) for path in found}
