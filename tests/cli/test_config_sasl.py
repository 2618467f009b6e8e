"""`config check` looks at what logins will want."""

import os

import pytest


@pytest.mark.parametrize(
    ("setting", "content", "said"),
    [
        ("oauth2_keys", "no key", "sasl.oauth2_keys: {path}: there is no public key in it"),
        ("oauth2_keys", '{"keys": []}', "sasl.oauth2_keys: {path}: there is no public key in it"),
        ("oauth2_keys", None, "sasl.oauth2_keys: {path}: No such file or directory"),
    ],
)
def test_keys_that_are_none_are_told_of(call, tmp_path, setting, content, said):
    path = tmp_path / "keys"
    if content is not None:
        path.write_text(content)
    code, _, error = call("--set", f"{setting}={path}", "config", "check")
    assert code == 78
    told = said.format(path=path)
    assert told in error or told.split(": ")[-1] in error


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("sasl_mech_list=PLAIN KERBEROS_V4", "'KERBEROS_V4' is not one of EXTERNAL, GSSAPI"),
        ("oauth2_algorithms=none", "'none' is not one of RS256"),
        ("oauth2_introspection_url=ftp://issuer.example/", "is no URL"),
        ("oauth2_timeout=0", "0 is not between 1 and 60"),
    ],
)
def test_settings_that_mean_nothing_are_told_of(call, setting, said):
    code, _, error = call("--set", setting, "config", "check")
    assert code == 78
    assert said in error


def test_mechanisms_may_be_written_as_in_imapd_conf(call):
    assert call("--set", "sasl_mech_list=plain scram-sha-256", "config", "check")[0] == 0


def test_a_list_of_referrals_that_is_not_there_is_told(call, tmp_path):
    code, _, error = call("--set", f"managesieve_referrals={tmp_path}/referrals", "config", "check")
    assert (code, error) == (
        78,
        f"sievemda: managesieve.managesieve_referrals: {tmp_path}/referrals: No such file or directory\n",
    )


def test_a_certificate_in_a_directory_that_is_closed_is_told_with_its_setting(call, tmp_path, monkeypatch):
    def stat(path, *arguments, **options):
        if "closed" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **options)

    real = os.stat
    monkeypatch.setattr(os, "stat", stat)
    sets = [f"tls_server_cert={tmp_path}/closed/a.pem", f"tls_server_key={tmp_path}/closed/a.key"]
    code, _, error = call(*(word for each in sets for word in ("--set", each)), "config", "check")
    assert code == 78
    assert [line.split(":")[1] for line in error.splitlines()] == [" lmtp.tls_server_cert", " lmtp.tls_server_key"]
