"""`quota notify` and `quota state`."""

import json
import re
import time

import pytest

from sievemda.cli.main import run


@pytest.fixture
def sievemda(tmp_path, capsys):
    """Runs a command on an embedded site: (exit code, standard output, standard error)."""

    def call(*arguments, sets=()):
        options = [word for setting in sets for word in ("--set", setting)]
        code = run(["--data", str(tmp_path), *options, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def site(sievemda, tmp_path):
    """The same, with alice at 9 and bob at 2 of 10 messages."""
    for user, number in (("alice", 9), ("bob", 2)):
        assert sievemda("mailbox", "create", f"user/{user}")[0] == 0
        assert sievemda("quota", "set", f"user/{user}", "MESSAGE", "10")[0] == 0
        for each in range(number):
            (tmp_path / f"mail/user/{user}/Maildir/cur/{each}.x,S=6:2,S").write_bytes(b"\n\nbody")
    return sievemda


@pytest.fixture
def rules(tmp_path):
    def write(text):
        (tmp_path / "rules.toml").write_text(text)
        return str(tmp_path / "rules.toml")

    return write


def new(tmp_path, user):
    return list((tmp_path / f"mail/user/{user}/Maildir/new").iterdir())


def test_who_is_over_a_threshold_is_told_once(site, rules, tmp_path):
    file = rules("[rules.nearly]\nthreshold = 80\nover = false\n")
    assert site("quota", "notify", "--rules", file) == (0, "user/alice: 90% (80%, nearly): told: user/alice\n", "")
    assert site("quota", "notify", "--rules", file) == (0, "", "")
    (letter,) = new(tmp_path, "alice")
    assert b"Subject: Mailbox user/alice is 90% full\n" in letter.read_bytes()
    assert new(tmp_path, "bob") == []


def test_a_dry_run_changes_nothing(site, rules, tmp_path):
    file = rules('[rules.nearly]\nthreshold = 80\nto = ["owner", "postmaster"]\n')
    for _ in range(2):
        code, out, err = site("quota", "notify", "--rules", file, "--dry-run", sets=["postmaster=pm@example.org"])
        assert (code, out, err) == (0, "user/alice: 90% (80%, nearly): would be told: user/alice, pm@example.org\n", "")
    assert new(tmp_path, "alice") == []
    assert not (tmp_path / "mail/user/alice/Maildir/sievemda-quota").exists()
    assert not (tmp_path / "spool").exists()


def test_a_pattern_says_which_roots(site, rules):
    file = rules("[rules.any]\nthreshold = 10\n")
    assert site("quota", "notify", "--rules", file, "user/b*")[1] == "user/bob: 20% (10%, any): told: user/bob\n"
    assert site("quota", "notify", "--rules", file, "user/alice")[1].startswith("user/alice: 90%")
    assert site("quota", "notify", "--rules", file, "nobody") == (0, "", "")


def test_the_highest_threshold_first_has_its_own_words(site, rules, tmp_path):
    for name in ("high", "low"):
        (tmp_path / f"{name}.txt").write_text(f"Subject: {name} {{percent}}\n\n{{root}}\n")
    file = rules(
        '[rules.high]\nthreshold = 85\ntemplate = "high.txt"\n[rules.low]\nthreshold = 15\ntemplate = "low.txt"\n'
    )
    assert site("quota", "notify", "--rules", file)[1].splitlines() == [
        "user/alice: 90% (85%, high): told: user/alice",
        "user/bob: 20% (15%, low): told: user/bob",
    ]
    assert b"Subject: high 90%\n" in new(tmp_path, "alice")[0].read_bytes()
    assert b"Subject: low 20%\n" in new(tmp_path, "bob")[0].read_bytes()


def test_after_the_interval_they_are_reminded(site, rules, tmp_path):
    file = rules('[rules.n]\nthreshold = 80\nover = false\ninterval = "2d"\n')
    site("quota", "notify", "--rules", file)
    memory = tmp_path / "mail/user/alice/Maildir/sievemda-quota"
    for hours, told in ((47, ""), (49, "user/alice: 100% (80%, n): reminded: user/alice\n")):
        memory.write_text(json.dumps({"full_since": 0, "told": {"n": [80, int(time.time()) - hours * 3600]}}))
        assert site("quota", "notify", "--rules", file)[1] == told


def test_programs_read_json(site, rules):
    file = rules("[rules.n]\nthreshold = 80\n")
    (first,) = json.loads(site("quota", "notify", "--rules", file, "--json")[1])
    assert re.fullmatch(r"<[^<>@]+@[^<>@]+>", first.pop("message_id"))
    assert first == {
        "root": "user/alice",
        "rule": "n",
        "level": "80%",
        "percent": 90,
        "reminder": False,
        "to": ["user/alice"],
    }
    assert json.loads(site("quota", "notify", "--rules", file, "--json", "user/bob")[1]) == []


def test_rules_may_stand_in_the_settings(site, rules):
    file = rules("[rules.n]\nthreshold = 80\n")
    assert site("quota", "notify", sets=[f"quota_rules={file}"])[1].startswith("user/alice: 90% (80%, n): told")
    assert site("quota", "notify", sets=["quota_warnings=90%"])[1].startswith("user/alice: 100% (90%): told")


def test_without_rules_the_command_is_refused(site):
    code, out, err = site("quota", "notify")
    assert (code, out) == (64, "")
    assert "give --rules FILE" in err


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("[rules.n]\nthreshold = 'x'\n", 65, "rules.n.threshold: 'x' is not a level"),
        ("[rules.n\n", 65, "rules.toml"),
        ("[rules.n]\nthreshold = 80\ntemplate = 'nope'\n", 74, "/nope: No such file"),
        ("[rules.n]\nthreshold = 80\ntemplate = 'nope'\n", 74, "rules.toml: rules.n.template: "),
        ("[rules.n]\nthreshold = 80\ntemplate = '.'\n", 74, "rules.toml: rules.n.template: "),
    ],
)
def test_broken_rules_end_the_command_before_anybody_is_told(site, rules, tmp_path, text, code, told):
    found, out, err = site("quota", "notify", "--rules", rules(text))
    assert (found, out) == (code, "")
    assert told in err
    assert err.count("\n") == 1
    assert new(tmp_path, "alice") == []


def test_a_file_of_rules_that_is_not_there(site):
    code, _, err = site("quota", "notify", "--rules", "/nope/rules.toml")
    assert code == 74
    assert err == "sievemda: /nope/rules.toml: No such file or directory\n"


def test_trouble_with_one_root_does_not_keep_the_others_from_being_told(site, rules, tmp_path):
    (tmp_path / "mail/user/alice/Maildir/sievemda-quota").mkdir()
    file = rules("[rules.n]\nthreshold = 15\n")
    code, out, err = site("quota", "notify", "--rules", file)
    assert code == 75
    assert out == "user/bob: 20% (15%, n): told: user/bob\n"
    assert err.startswith("sievemda: user/alice: ")


def test_a_broken_template_of_the_site_is_found_before_anybody_is_told(site, tmp_path):
    (tmp_path / "t.txt").write_text("Subject: x\n\n{nobody}\n")
    sets = ("quota_warnings=80%", f"quota_warning_template={tmp_path}/t.txt")
    code, out, err = site("quota", "notify", sets=sets)
    assert (code, out) == (65, "")
    assert f"{tmp_path}/t.txt:3: nothing stands for '{{nobody}}'" in err
    assert site("config", "check", sets=sets)[0] == 78


def test_the_check_of_the_configuration_reads_the_rules(site, rules):
    file = rules("[rules.n]\nthreshold = 80\nwrong = 1\n")
    code, _, err = site("config", "check", sets=[f"quota_rules={file}"])
    assert (code, err.count("\n")) == (78, 1)
    assert "rules.n.wrong" in err
    assert site("config", "check", sets=["quota_rules=/nope"])[0] == 78
    rules("[rules.n]\nthreshold = 80\n")
    assert site("config", "check", sets=[f"quota_rules={file}"])[0] == 0


@pytest.mark.parametrize("pattern", ["user//x", ""])
def test_a_pattern_that_cannot_be_one(site, rules, pattern):
    code, _, err = site("quota", "notify", "--rules", rules("[rules.n]\nthreshold = 15\n"), pattern)
    assert code == 65
    assert err.count("\n") == 1


# -- state ------------------------------------------------------------------------------------------------------------


def test_the_state_of_a_root_that_has_room(site):
    code, out, err = site("quota", "state", "user/alice", sets=["quota_warnings=80%"])
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "root: user/alice",
        "MESSAGE: 9 of 10 (90%)",
        "level: 80%",
        "full since: -",
        "grace ends: -",
        "mail is refused: no",
    ]


@pytest.mark.parametrize(
    ("sets", "age", "refusal", "ends"),
    [
        ((), 10, "temporary", False),
        (("lmtp_over_quota_perm_failure=yes",), 10, "permanent", False),
        (("quota_grace=1d",), 3600, "temporary", True),
        (("quota_grace=1d",), 90_000, "permanent", True),
    ],
)
def test_the_state_of_a_full_root(site, tmp_path, sets, age, refusal, ends):
    site("quota", "set", "user/alice", "MESSAGE", "5")
    since = int(time.time()) - age
    memory = {"full_since": since, "told": {"": [101, since], "n": [80, since]}}
    (tmp_path / "mail/user/alice/Maildir/sievemda-quota").write_text(json.dumps(memory))
    told = json.loads(site("quota", "state", "user/alice", "--json", sets=sets)[1])
    assert told == {
        "root": "user/alice",
        "usage": {"MESSAGE": {"used": 9, "limit": 5, "percent": 180}},
        "level": None,
        "over": True,
        "full_since": since,
        "grace_ends": since + 86_400 if ends else None,
        "refusal": refusal,
        "told": {"": {"level": "over", "at": since}, "n": {"level": "80%", "at": since}},
    }
    lines = site("quota", "state", "user/alice", sets=sets)[1].splitlines()
    assert f"mail is refused: {refusal}" in lines
    assert any(line.startswith("told: over at 20") for line in lines)
    assert any(line.startswith("told by n: 80% at 20") for line in lines)


def test_a_root_that_is_none_has_no_state(site):
    site("mailbox", "create", "user/alice/Lists")
    assert site("quota", "state", "user/alice/Lists") == (67, "", "sievemda: user/alice/Lists is not a quota root\n")
    assert site("quota", "state", "user//")[0] == 65


@pytest.mark.parametrize(
    "setting",
    [
        "quota_warnings=80%,120%",
        "quota_warnings=high",
        "quotawarnpercent=101",
        "quotawarnsize=-1",
        "quota_warning_hysteresis=101",
        "quota_warning_interval=often",
        "quota_warning_language=../x",
        "quota_grace=-1",
        "quota_check_interval=0",
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(site, setting):
    code, _, err = site("quota", "list", sets=[setting])
    assert code == 78
    assert setting.partition("=")[0] in err
