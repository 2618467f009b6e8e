"""Values that other programs made; those of Dovecot's own `doveadm pw` stand in tests/interop/test_passwd_file.py."""

import hashlib

import pytest

from sievemda.auth.digests import hmac_md5_states, md4
from sievemda.auth.schemes import SCHEMES, fits, read_secret
from sievemda.errors import DataError


@pytest.mark.parametrize(
    ("octets", "digest"),
    [  # RFC 1320, appendix A.5
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        (b"a", "bde52cb31de33e46245e05fbdbd6fb24"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
        (b"message digest", "d9130a8164549fe818874806e1c7014b"),
        (b"abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"),
        (b"1234567890" * 8, "e33b4ddc9c38f2199c3e7b164fcc0536"),
    ],
)
def test_md4_is_that_of_its_rfc(octets, digest):
    assert md4(octets).hex() == digest


def test_the_states_of_hmac_md5_finish_to_its_digest():
    """RFC 2104: with the states one can go on with what follows the key; a key longer than a block is hashed first."""
    assert hmac_md5_states(b"k" * 65) == hmac_md5_states(hashlib.md5(b"k" * 65).digest())
    assert hmac_md5_states(b"pencil").hex() == "7f47ace0e2af8f6cdeb72c03243a8c87834e19104164d6a42de72d243adb4080"


@pytest.mark.parametrize(
    "kept",
    [
        "{PLAIN}pencil",
        "{plain}pencil",
        "{CLEARTEXT}pencil",
        "{PLAIN.B64}cGVuY2ls",
        "{SHA}0vxRJJChUDZGC1SJQBQ51tpUB/o=",
        "{SHA}d2fc512490a15036460b5489401439d6da5407fa",
        "{SHA1.hex}d2fc512490a15036460b5489401439d6da5407fa",
        "{SSHA}I43ilFxl9B52b/aY9TeTirhgOXgqp+uF",
        "{SSHA256}STlmjgE0wrzqTGcY3/yQBdVAtxrij6vSinrcIb8wO28cSCW5",
        "{PLAIN-MD5}a8f6830bce790a8a67fc2e84e12093ba",
        "{LDAP-MD5}qPaDC855Copn/C6E4SCTug==",
        "{MD5}qPaDC855Copn/C6E4SCTug==",
        "{MD5}$1$bLYrDN4B$VtZBVWDzpF23mVSf6FRVh0",
        "{PLAIN-MD4}88d50fcdf6d772aa14faa6241e363f2c",
        "{DIGEST-MD5}d686df0d3200b4727b76a7c0a3faa2fa",
        "{PBKDF2}$1$.88.Eh6DupKQIIoj$5000$3ad76a3ddc2e441e8766cf42139e26ab36777a30",
        "{SCRAM-SHA-1}4096,zEo1qMhywvGmPS7c1dSphQ==,iqXz0GY/Kqm089mK+YD1lxTixlE=,WmT8vZpCjLSC+QtiJU7L0SHBsR0=",
        "{CRYPT}$2y$05$d3GAyR7cnSefpc5fMuE8nOVKU/23G9GtHnezvQ2I5CykkARkILzE.",
        "$5$tTj8r.hseRPonog0$9rt.KsOnCcGXP6wUG0Wkf5jBZo1UbHZFBLBvmc5lAsC",
        "oerEpDHz9vlmk",
    ],
)
def test_the_password_fits_what_was_made_of_it_and_no_other_does(kept):
    secret = read_secret(kept, "CRYPT")
    assert fits(secret, "pencil", "alice@example.org")
    for other in ("Pencil", "", "pencil\0", "pencil\0x", "pencil ", "\udcff", "x" * 5000):
        assert not fits(secret, other, "alice@example.org")


def test_digest_md5_is_of_one_user():
    secret = read_secret("{DIGEST-MD5}d686df0d3200b4727b76a7c0a3faa2fa", "CRYPT")
    assert not fits(secret, "pencil", "bob@example.org")
    assert not fits(secret, "pencil", "alice")


@pytest.mark.parametrize("kept", ["!", "*", "!!", "!$6$saltsalt$x", "*LK*", "{CRYPT}!", "{CRYPT}", "{PLAIN}"])
def test_no_password_fits_an_account_that_is_locked(kept):
    secret = read_secret(kept, "CRYPT")
    for password in ("", "!", "*", kept, "pencil"):
        assert not fits(secret, password, "alice")


@pytest.mark.parametrize(
    "kept",
    [
        "{NONSENSE}hush",
        "{OTP}sha1 1024 a44e0fae487ce5f7 1112c0ff7e4a3e58",
        "{SHA}hush",
        "{SHA.HEX}hush",
        "{SHA.ROT13}hush",
        "{SHA}aHVzaA==",
        "{SSHA}aHVzaA==",
        "{PLAIN-MD5}hush",
        "{PBKDF2}hush",
        "{PBKDF2}$1$hush$١٠٢٤$3ad76a3ddc2e441e8766cf42139e26ab36777a30",
        "{PBKDF2}$1$hush$0$3ad76a3ddc2e441e8766cf42139e26ab36777a30",
        "{PBKDF2}$1$hush$999999999$3ad76a3ddc2e441e8766cf42139e26ab36777a30",
        "{ARGON2ID}hush",
        "{ARGON2I}$argon2id$v=19$m=65536,t=3,p=1$cjZwgisKvebzgvajXyZogg$45EtrLaqengaRqy/5Kxeq0wpxio3bSKMsZ0fEDG6yFU",
        "{ARGON2ID}$argon2id$v=19$m=9999999,t=3,p=1$cjZwgisKvebzgvajXyZogg$45EtrLaqengaRqy/5Kxeq0wpxio3bSKMsZ0fEDG6yFU",
        "{SCRAM-SHA-1}hush",
        "{SCRAM-SHA-1}٤٠٩٦,zEo1qMhywvGmPS7c1dSphQ==,iqXz0GY/Kqm089mK+YD1lxTixlE=,WmT8vZpCjLSC+QtiJU7L0SHBsR0=",
        "{SCRAM-SHA-1}1,zEo1qMhywvGmPS7c1dSphQ==,iqXz0GY/Kqm089mK+YD1lxTixlE=,WmT8vZpCjLSC+QtiJU7L0SHBsR0=",
        "{CRAM-MD5}hush",
        "{ARGON2ID}$argon2id$v=19$m=4194304,t=3,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b1dWRWJTmaaJObG",
        "{ARGON2ID}$argon2id$v=19$m=65536,t=4294967295,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b1dWRWJTmaaJObG",
        "{ARGON2I}$argon2i$v=19$m=262144,t=2,p=16777215$c29tZXNhbHQ$RdescudvJCsgt3ub+b1dWRWJTmaaJObG",
    ],
)
def test_what_cannot_be_read_is_told_without_being_repeated(kept):
    with pytest.raises(DataError) as caught:
        read_secret(kept, "CRYPT")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "kept",
    [
        "$99$hush$hush",
        "$2y$31$d3GAyR7cnSefpc5fMuE8nOVKU/23G9GtHnezvQ2I5CykkARkILzE.",
        "$6$rounds=999999999$saltsalt$hush",
        "h?sh",
        "$sha1$4294967295$wnUR8T1U$vt1TFQ50tBMFgkflAFAOer2CwdYZ",
        "$sha1$+4294967295$wnUR8T1U$vt1TFQ50tBMFgkflAFAOer2CwdYZ",
        "$sha1$999999999999999999999$wnUR8T1U$vt1TFQ50tBMFgkflAFAOer2CwdYZ",
        "$md5,rounds=4294963199$abcdefgh$xxxxxxxxxxxxxxxxxxxxxx",
        "$md5$rounds=4294963199$abcdefgh$xxxxxxxxxxxxxxxxxxxxxx",
        "_zzzzabcdKKKKKKKKKKK",
        "$y$jFT$abcdefghabcdefgh$dsOeMyHdKvNv86.uE1k3x8eXrb/zXK5YbhIt9v5N9L/",
        "$y$j9zz$abcdefgh$dsOeMyHdKvNv86.uE1k3x8eXrb/zXK5YbhIt9v5N9L/",
        "$gy$jjj$abcdefgh$dsOeMyHdKvNv86.uE1k3x8eXrb/zXK5YbhIt9v5N9L/",
        "$7$HU..../....2Q9obwLhin8qvQl6sisAO/$sc1HizdHEBLZgBHhTj1rIbVdWs6kmLKGNPUVsmWiT5.",
        "$7$CU....zzzzz2Q9obwLhin8qvQl6sisAO/$sc1HizdHEBLZgBHhTj1rIbVdWs6kmLKGNPUVsmWiT5.",
    ],
)
def test_a_hash_that_libcrypt_does_not_know_or_that_takes_for_ever_is_told_when_it_is_tried(kept):
    secret = read_secret(kept, "CRYPT")
    with pytest.raises(DataError) as caught:
        fits(secret, "pencil", "alice")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_secret_is_not_shown(scheme):
    assert "hush" not in _shown(f"{{{scheme}}}hush")


def _shown(text):
    try:
        return repr(read_secret(text, "CRYPT"))
    except DataError as e:
        return str(e)
