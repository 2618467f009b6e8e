from sievemda.tls.records import Records

TWO = b"\x16\x03\x01\x00\x03abc\x17\x03\x03\x01\x00" + b"x" * 256


def test_a_record_is_within_from_its_first_octet_to_its_last():
    for at in range(len(TWO) + 1):
        records = Records()
        records.feed(TWO[:at])
        assert records.within is (at not in {0, 8, len(TWO)}), at
        records.feed(TWO[at:])
        assert not records.within


def test_it_does_not_matter_in_which_pieces_it_comes():
    records, seen = Records(), []
    for octet in TWO:
        records.feed(bytes([octet]))
        seen.append(records.within)
    assert [at + 1 for at, within in enumerate(seen) if not within] == [8, len(TWO)]


def test_a_record_may_be_empty():
    records = Records()
    records.feed(b"\x17\x03\x03\x00\x00")
    assert not records.within
