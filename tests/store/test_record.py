import json
import threading

import pytest

from sievemda.store.record import FILE_NAME, Record


def test_an_id_survives_a_rename_and_ends_with_the_mailbox(store, mailbox):
    name = store.namespace.parse_admin
    first = mailbox("user/alice/Lists").id
    renamed = store.rename(name("user/alice/Lists"), name("user/alice/Old"))
    assert renamed.id == first
    store.delete(renamed.name)
    assert store.create(renamed.name).id != first


def test_a_folder_made_over_imap_gets_an_id_that_stays(store, mailbox):
    inbox = mailbox("user/alice")
    (inbox.path / ".Imap" / "cur").mkdir(parents=True)
    found = mailbox("user/alice/Imap")
    assert found.id
    assert mailbox("user/alice/Imap").id == found.id


def test_deliveries_at_once_agree_on_a_new_id(store, mailbox):
    inbox = mailbox("user/alice")
    (inbox.path / ".Imap" / "cur").mkdir(parents=True)
    ids = []
    threads = [threading.Thread(target=lambda: ids.append(mailbox("user/alice/Imap").id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1
    assert [path.name for path in (inbox.path / ".Imap").iterdir()].count(FILE_NAME) == 1


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"rights": 3}',
        b"\xff\xff",
        b'{"limits": {"storage": "x"}}',
        b'{"limits": {"storage": 1e999}}',
        b'{"metadata": {"": {"/shared/comment": "\\ud800"}}}',
    ],
)
def test_a_damaged_record_counts_as_empty_and_is_mended_by_the_next_id(store, mailbox, damage, caplog):
    box = mailbox("user/alice/Lists")
    (box.path / FILE_NAME).write_bytes(damage)
    assert store.files.records.get(box.path) == Record()
    assert box.id
    assert json.loads((box.path / FILE_NAME).read_bytes())["id"] == box.id
    assert "damaged" in caplog.text


def test_keys_of_other_versions_are_kept(store, mailbox):
    box = mailbox("user/alice/Lists")
    (box.path / FILE_NAME).write_text('{"id": "x", "annotations": {"/comment": "c"}}')
    box.set_special_use("\\Junk")
    kept = json.loads((box.path / FILE_NAME).read_text())
    assert kept == {"id": "x", "special_use": "\\Junk", "annotations": {"/comment": "c"}}
