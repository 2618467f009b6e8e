"""`config check` looks at what logins will want."""

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
