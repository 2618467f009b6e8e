"""Files of rules and templates about full mailboxes: what they mean, and what is wrong with them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sievemda.delivery.fullness import template
from sievemda.delivery.fullness.rules import read_rules, site_rule
from sievemda.delivery.fullness.texts import spoken, texts
from sievemda.errors import DataError
from sievemda.policy.warnings import OVER
from sievemda.store.names import MailboxName
from tests.delivery.world import changed


@pytest.fixture
def read(world, tmp_path):
    """Reads a file of rules with that text."""
    file = tmp_path / "rules.toml"

    def read(text):
        file.write_text(text, encoding="utf-8")
        return read_rules(file, world.store.namespace)

    return read


# -- rules ------------------------------------------------------------------------------------------------------------


def test_a_rule_says_when_whom_and_how(read, tmp_path):
    (tmp_path / "full.txt").write_text("Subject: full\n\n{root}\n")
    (found,) = read(
        """
        [rules.nearly]
        roots = ["user/a*", "board"]
        thresholds = ["80%", 95]
        hysteresis = 10
        interval = "3d"
        template = "full.txt"
        to = ["owner", "helpdesk@example.org"]
        folder = "Lists"
        resource = "storage"
        exclusive = false
        """
    )
    rule = found.rule
    assert (rule.name, rule.levels, rule.hysteresis, rule.interval) == ("nearly", (80, 95, OVER), 10, 3 * 86400)
    assert (rule.exclusive, found.to, found.folder) == (False, ("owner", "helpdesk@example.org"), "Lists")
    assert found.resources == ("STORAGE",)
    assert found.template.subject == "full"
    covered = [found.covers(name) for name in (MailboxName("alice"), MailboxName("bob"), MailboxName(None, ("board",)))]
    assert covered == [True, False, True]


def test_what_a_rule_does_not_say_is_the_usual(read):
    (found,) = read("[rules.x]\nthreshold = 90\n")
    assert (found.rule.levels, found.rule.hysteresis, found.rule.interval) == ((90, OVER), 5, 86400)
    assert (found.to, found.folder, found.template, found.rule.exclusive) == (("owner",), "", None, True)
    assert found.resources == ("STORAGE", "MESSAGE")
    assert found.covers(MailboxName("anybody", ("x",)))


def test_the_general_table_holds_for_rules_that_say_nothing_else(read):
    first, second = read(
        '[general]\ninterval = "2h"\nto = "postmaster"\n[rules.a]\nthreshold=60\n[rules.b]\nthreshold=90\ninterval=0\n'
    )
    assert (first.rule.interval, first.to) == (7200, ("postmaster",))
    assert (second.rule.interval, second.to) == (0, ("postmaster",))


def test_rules_keep_their_order_and_disabled_ones_are_left_out(read):
    found = read("[rules.z]\nthreshold=90\n[rules.y]\nenabled=false\nthreshold=50\n[rules.a]\nthreshold=60\n")
    assert [each.rule.name for each in found] == ["z", "a"]


def test_a_rule_may_tell_of_nothing_but_what_is_over_and_of_all_but_that(read):
    over, levels = read("[rules.a]\nover = true\n[rules.b]\nthresholds = [80]\nover = false\n")
    assert (over.rule.levels, levels.rule.levels) == ((OVER,), (80,))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no rule"),
        ("[rules]\n", "there is no rule"),
        ("x = 1\n", "x: there are only"),
        ("rules = 5\n", "rules: write a table"),
        ("[rules]\nx = 5\n", "rules.x: write a table"),
        ("[rules.x]\n", "rules.x.thresholds: at which level"),
        ("[rules.x]\nthresholds = []\n", "rules.x.thresholds: [] is not a list of words"),
        ("[rules.x]\nthresholds = [0]\n", "rules.x.thresholds: '0' is not a level"),
        ("[rules.x]\nthresholds = [80.5]\n", "rules.x.thresholds"),
        ("[rules.x]\nthreshold = 101\n", "rules.x.threshold: '101' is not a level"),
        ("[rules.x]\nthreshold = true\n", "rules.x.threshold"),
        ("[rules.x]\nthreshold = 80\ncolour = 'red'\n", "rules.x.colour: there is no such key"),
        ("[rules.x]\nthreshold = 80\ninterval = 'often'\n", "rules.x.interval: 'often' is not a time"),
        ("[rules.x]\nthreshold = 80\ninterval = -1\n", "rules.x.interval"),
        ("[rules.x]\nthreshold = 80\nhysteresis = 101\n", "rules.x.hysteresis: 101 is not between"),
        ("[rules.x]\nthreshold = 80\nto = 'somebody'\n", "rules.x.to: 'somebody' is neither"),
        ('[rules.x]\nthreshold = 80\nto = "a@b\\nBcc: c@d"\n', "rules.x.to:"),
        ("[rules.x]\nthreshold = 80\nroots = 'user//x'\n", "rules.x.roots:"),
        ("[rules.x]\nthreshold = 80\nresource = 'TIME'\n", "rules.x.resource: 'TIME' is not a resource"),
        ("[rules.x]\nthreshold = 80\nexclusive = 'perhaps'\n", "rules.x.exclusive: 'perhaps' is not yes or no"),
        ("[rules.x]\nthreshold = 80\nfolder = 'a//b'\n", "rules.x.folder:"),
        ('[rules.x]\n"a\\nb" = 80\n', "there is no such key"),
        ('"a\\nb" = 80\n', "there are only"),
        ("[general]\nnonsense = 1\n[rules.x]\nthreshold = 80\n", "general.nonsense: there is no such key"),
        ('[rules."a\\nb"]\nthreshold = 80\n', "cannot be the name of a rule"),
        (f"[rules.{'x' * 101}]\nthreshold = 80\n", "cannot be the name of a rule"),
        ("[rules.x\n", "line 1"),
        ("[rules.x]\nthreshold = 80\n[rules.x]\nthreshold = 90\n", "rules.toml"),
        (f"x = {'[' * 5000}\n", "rules.toml"),
    ],
)
def test_what_is_wrong_with_rules_is_said_with_its_place(read, tmp_path, text, told):
    with pytest.raises(DataError) as error:
        read(text)
    assert str(error.value).startswith(f"{tmp_path}/rules.toml")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_rules_that_are_not_utf8_are_refused(world, tmp_path):
    (tmp_path / "r.toml").write_bytes(b"# \xff\n[rules.x]\nthreshold = 80\n")
    with pytest.raises(DataError, match=r"r\.toml"):
        read_rules(tmp_path / "r.toml", world.store.namespace)


def test_a_file_without_end_is_refused(world):
    with pytest.raises(DataError, match="/dev/zero: a file of rules has at most"):
        read_rules(Path("/dev/zero"), world.store.namespace)


def test_a_template_that_is_missing_is_missed_at_once(read):
    with pytest.raises(FileNotFoundError):
        read("[rules.x]\nthreshold = 80\ntemplate = 'nope.txt'\n")


def test_a_template_of_a_rule_is_checked_with_its_line(read, tmp_path):
    (tmp_path / "t.txt").write_text("Subject: x\n\nfine\n{nope}\n")
    with pytest.raises(DataError, match=r"rules\.x\.template: .*t\.txt:4: nothing stands for '\{nope\}'"):
        read("[rules.x]\nthreshold = 80\ntemplate = 't.txt'\n")


def test_the_rules_that_are_shipped_can_be_used(world):
    found = read_rules(Path(__file__).parents[2] / "conf/quota/rules.toml", world.store.namespace)
    assert [each.rule.name for each in found] == ["nearly-full", "filling-up", "boards"]
    assert found[0].template.subject == "{root} is {percent} full"
    assert found[1].rule.interval == 3 * 86400


@pytest.mark.parametrize("words", [(), ("off",), ("no",), ("False",)])
def test_a_site_need_not_warn(world, words):
    assert site_rule(changed(world.settings, quota_warnings=words)) is None


@pytest.mark.parametrize(
    ("words", "levels", "beyond"),
    [
        (("80%", "95%"), (80, 95, OVER), False),
        (("over",), (OVER,), False),
        (("on",), (90, OVER), True),
        (("Yes",), (90, OVER), True),
    ],
)
def test_the_rule_of_the_site_is_in_the_settings(world, words, levels, beyond):
    rule = site_rule(changed(world.settings, quota_warnings=words)).rule
    assert (rule.levels, rule.beyond, rule.name) == (levels, beyond, "")


# -- templates --------------------------------------------------------------------------------------------------------

VALUES = dict.fromkeys(template.PLACEHOLDERS, "")


@pytest.mark.parametrize(
    ("text", "subject", "body"),
    [
        ("Subject: x\n\ny\n", "x", "y\n"),
        ("subject :  x \n\n\n\ny", "x", "y\n"),
        ("Subject: a\n b\n\ny\n", "a b", "y\n"),
        ("Subject: x\r\n\r\ny\r\nz\r\n", "x", "y\nz\n"),
        ("Subject: {{x}}\n\n{{{user}}}\n", "{x}", "{al}\n"),
        ("Subject: {user}\n\na\n\n{hint}\n\nb\n", "al", "a\n\nb\n"),
        ("Subject: été\n\n{user}\u00a0!\n", "été", "al\u00a0!\n"),
    ],
)
def test_a_template_is_filled(text, subject, body):
    assert template.parse(text, "t").fill(VALUES | {"user": "al"}) == (subject, body)


def test_what_is_filled_in_is_not_filled_again():
    filled = template.parse("Subject: {user}\n\n{root}\n", "t").fill(VALUES | {"user": "{root}", "root": "{user}{"})
    assert filled == ("{root}", "{user}{\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "t:1:"),
        ("y\n", "t:1: a template begins with"),
        ("Subject:\n\ny\n", "t:1: the Subject is empty"),
        ("Subject: x\n", "t:2: a template begins with"),
        ("Subject: x\n\n\n", "t: there is no text"),
        ("Subject: x\nBcc: y\n\nz\n", "t:2:"),
        ("Subject: x\nSubject: y\n\nz\n", "t:2:"),
        ("\nSubject: x\n\ny\n", "t:1:"),
        ("Subject: x\n\n{User}\n", "t:3: nothing stands for '{User}'"),
        ("Subject: x\n\n{}\n", "t:3: nothing stands for '{}'"),
        ("Subject: x\n\n{user.name}\n", "t:3: nothing stands for"),
        ("Subject: x\n\n{user!r}\n", "t:3: nothing stands for"),
        ("Subject: {0}\n\ny\n", "t:1: nothing stands for"),
        ("Subject: x\n\na {\n", "t:3: write {{ for a brace"),
        ("Subject: x\n\na }\n", "t:3: write }} for a brace"),
        ("Subject: x\n\na\0b\n", "t:3: '\\x00' is no text"),
        ("Subject: x\n\n\n\x1b[2J\n", "t:4: '\\x1b' is no text"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_with_its_line(text, told):
    with pytest.raises(DataError) as error:
        template.parse(text, "t")
    assert str(error.value).startswith(told)


@given(st.text(st.sampled_from("ab{}\n: \r\t\0Subject:useroté"), max_size=60), st.text(max_size=20))
def test_any_text_is_a_template_that_can_be_filled_or_is_refused_in_one_line(text, value):
    try:
        found = template.parse(f"Subject: {text}", "t")
    except DataError as e:
        assert "\n" not in str(e)  # noqa: PT017 - either of the two will do
    else:
        subject, body = found.fill(dict.fromkeys(template.PLACEHOLDERS, value))
        assert "\n" not in subject
        assert body.endswith("\n")


@pytest.mark.parametrize(
    ("content", "told"), [(b"Subject: x\n\n\xff\n", ":3: this is not UTF-8"), (b"x" * 70_000, "at most")]
)
def test_a_file_that_cannot_be_a_template_is_refused(tmp_path, content, told):
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(DataError, match=told):
        template.read(tmp_path / "t")


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "it", "nl"])
def test_our_own_words_are_whole_in_every_language(language):
    assert spoken(language) == language
    ours = texts(language)
    for text, wanted in (
        (ours.level, {"root", "used", "limit", "percent", "hint"}),
        (ours.over, {"root", "used", "limit", "refusal", "hint"}),
    ):
        marks = {name: f"<{name}>" for name in template.PLACEHOLDERS}
        filled = " ".join(template.parse(text, language).fill(marks))
        assert {name for name in marks if marks[name] in filled} == wanted
    assert "{size}" in ours.hint
    assert "{folder}" in ours.hint
    assert "{time}" in ours.until
