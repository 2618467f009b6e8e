"""The container: a tar that others read, and that is read behind damage."""

import gzip
import io
import tarfile

import pytest

from sievemda.upkeep.backup.container import END, LINK, Damage, Member, Reader, Writer
from sievemda.upkeep.backup.source import Compressing, Gap, Source

NUMBER = "0123456789abcdef01234567"
LONG = "user/alice/Maildir/." + "x" * 200 + "/cur/1:2,S"


def written(members, *, compressed=False, number=NUMBER):
    out = io.BytesIO()
    packed = Compressing(out) if compressed else None
    writer = Writer(packed or out, number)
    for member, content in members:
        writer.add(member, [content])
    writer.add(Member("end", facts={"type": END}))
    writer.finish()
    if packed:
        packed.finish()
    return out.getvalue()


def member(number, content, **more):
    return Member(
        f"user/alice/Maildir/cur/{number}", len(content), 1.5e9 + number, facts={"n": number}, **more
    ), content


def everything(octets):
    """(number or text of damage, content) of all that can be read."""
    reader = Reader(Source(io.BytesIO(octets)))
    found = []
    for one in reader.members():
        content = b""
        if isinstance(one, Member):
            try:
                content = b"".join(iter(lambda: reader.read(100), b""))
            except Gap:
                content = None
        if isinstance(one, Damage) or one.facts.get("type") != END:
            found.append((one.text if isinstance(one, Damage) else one.facts.get("n", "not ours"), content))
    return found


@pytest.mark.parametrize("compressed", [False, True])
def test_members_come_back_as_they_were(compressed):
    pairs = [member(number, bytes([number]) * number * 300) for number in range(5)]
    octets = written(pairs, compressed=compressed)
    reader = Reader(Source(io.BytesIO(octets)))
    for found, (expected, content) in zip(reader.members(), pairs, strict=False):
        assert (found.path, found.size, found.mtime) == (expected.path, expected.size, expected.mtime)
        assert b"".join(iter(lambda: reader.read(1000), b"")) == content


@pytest.mark.parametrize("path", ["short", LONG, "Grüße/x", "user/\udcff\udcfe/x"])
def test_other_programs_read_it(path):
    octets = written([(Member(path, 3, 1500000000.25, facts={"n": 1}), b"abc")])
    with tarfile.open(fileobj=io.BytesIO(octets), errors="surrogateescape") as tar:
        found, _ = tar.getmembers()
        assert (found.name, found.mtime, found.mode) == (path, 1500000000.25, 0o600)
        assert tar.extractfile(found).read() == b"abc"


def test_gzip_reads_what_is_compressed_in_pieces():
    content = bytes(range(256)) * 10000
    octets = written([member(1, content)], compressed=True)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(octets))) as tar:
        assert tar.extractfile(tar.getmembers()[0]).read() == content


def test_a_link_has_no_content():
    pairs = [member(1, b"abc"), (Member("other", 0, 2.0, LINK, "user/alice/Maildir/cur/1", {"n": 2}), b"")]
    assert everything(written(pairs)) == [(1, b"abc"), (2, b"")]


def test_a_size_beyond_the_field_of_tar_is_told():
    size = 8**11
    writer = Writer(io.BytesIO(), NUMBER)
    out = io.BytesIO()
    writer = Writer(out, NUMBER)
    with pytest.raises(ValueError, match="instead of"):
        writer.add(Member("x", size, facts={"n": 1}), [b"abc"])
    (found,) = list(Reader(Source(io.BytesIO(out.getvalue()))).members())[:1]
    assert found.size == size


@pytest.mark.parametrize("compressed", [False, True])
def test_behind_damage_reading_goes_on(compressed):
    import random

    noise = random.Random(1)
    pairs = [member(number, noise.randbytes(300_000)) for number in range(30)]
    octets = bytearray(written(pairs, compressed=compressed))
    middle = len(octets) // 2
    octets[middle : middle + 2000] = b"\xff" * 2000
    found = everything(bytes(octets))
    whole = [number for number, content in found if (number, content) in [(n, c) for n, (_, c) in enumerate(pairs)]]
    assert len(whole) >= (24 if compressed else 28)
    assert whole[0] == 0
    assert whole[-1] == 29


@pytest.mark.parametrize("lost", [1, 511, 512, 700])
def test_octets_that_are_missing_cost_what_they_belong_to(lost):
    octets = written([member(number, b"x" * 5000) for number in range(10)])
    found = everything(octets[:30000] + octets[30000 + lost :])
    assert len([content for _, content in found if content == b"x" * 5000]) >= 8
    assert any(isinstance(number, str) for number, _ in found)


@pytest.mark.parametrize("cut", [100, 512, 1000, 2000, 5000])
def test_a_cut_is_told(cut):
    octets = written([member(number, b"x" * 900) for number in range(2)])
    found = everything(octets[:cut])
    assert found[-1][0] == "the archive is cut off"


def test_a_tar_in_a_message_is_never_taken_for_members():
    trap = written([member(666, b"evil")], number="f" * 24)
    octets = bytearray(written([member(1, b"good"), member(2, trap * 3), member(3, b"good")]))
    at = octets.find(b"ustar", 3000)  # the header of the message with the trap
    octets[at] ^= 1
    assert 666 not in [number for number, _ in everything(bytes(octets))]
    assert everything(bytes(octets))[-1] == (3, b"good")


@pytest.mark.parametrize("field", [b"path", b"mtime", b"comment"])
def test_a_header_that_was_changed_is_damage(field):
    octets = bytearray(written([member(1, b"abc")]))
    at = octets.find(field + b"=") + len(field) + 12
    octets[at] = ord("7") if octets[at] != ord("7") else ord("8")
    assert isinstance(everything(bytes(octets))[0][0], str)


def test_zeros_in_the_middle_are_no_end():
    octets = bytearray(written([member(number, b"x" * 900) for number in range(4)]))
    octets[4096:7168] = bytes(3072)
    assert everything(bytes(octets))[-1] == (3, b"x" * 900)


def test_a_header_that_claims_gigabytes_is_not_read():
    octets = bytearray(written([member(1, b"abc")]))
    block = octets[:512]
    block[124:136] = b"77777777777\0"
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + 8 * 32 + sum(block[156:]))
    found = everything(bytes(block + octets[512:]))
    assert found[0][0].startswith("an extended header of")
