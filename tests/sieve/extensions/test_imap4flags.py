import pytest

from tests.sieve.trying import KEEP, actions, filed, holds, problems, warnings

R = 'require ["imap4flags", "variables", "fileinto", "relational", "comparator-i;ascii-numeric"];\n'


def kept(*flags):
    return [KEEP | {"flags": list(flags)}]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('setflag "\\\\Deleted";', kept("\\Deleted")),
        ('addflag ["\\\\Deleted", "\\\\Answered"];', kept("\\Deleted", "\\Answered")),
        ('addflag "  \\\\Deleted   \\\\Answered ";', kept("\\Deleted", "\\Answered")),
        ('addflag "\\\\Deleted"; addflag "\\\\Answered";', kept("\\Deleted", "\\Answered")),
        ('addflag "a"; addflag "A a b";', kept("a", "b")),
        ('setflag "a b c"; removeflag ["B", "x"];', kept("a", "c")),
        ('setflag "a b"; removeflag "a"; removeflag "b";', kept()),
        ('setflag "a"; setflag "b";', kept("b")),
        ('setflag "a"; setflag "";', kept()),
        ('setflag "\\\\seen \\\\FLAGGED";', kept("\\Seen", "\\Flagged")),
        ('setflag "\\\\Recent \\\\nonsense a(b gr\u00fcn $ok ok] %x";', kept("$ok")),
        ('setflag "a"; keep;', [{"action": "keep", "flags": ["a"]}]),
        ('setflag "a"; keep :flags "b";', [{"action": "keep", "flags": ["b"]}]),
        ('setflag "a"; keep :flags "";', [{"action": "keep", "flags": []}]),
        ('keep; setflag "a";', [{"action": "keep", "flags": []}]),
        ('keep :flags "a"; keep :flags "b";', [{"action": "keep", "flags": ["b"]}]),
        ('keep :flags "a"; keep;', [{"action": "keep", "flags": []}]),
        ('setflag "a"; fileinto "X"; setflag "b"; fileinto "Y";', [filed("X", "a"), filed("Y", "b")]),
        ('setflag "flagvar" "\\\\Flagged"; fileinto :flags "${flagvar}" "X";', [filed("X", "\\Flagged")]),
        ('setflag "v" "a"; addflag "v" "b c"; removeflag "v" "a"; keep :flags ["${v}", "d"];',
         [{"action": "keep", "flags": ["b", "c", "d"]}]),
        ('set "v" "x y x"; addflag "v" "z"; fileinto "${v}";', [filed("x y z")]),
        ('setflag "v" "a"; keep;', [{"action": "keep", "flags": []}]),
        ('setflag "a"; discard;', [{"action": "discard"}]),
    ],
)  # fmt: skip
def test_flags_of_actions(script, expected):
    assert actions(R + script) == expected


@pytest.mark.parametrize(
    ("setting", "test", "expected"),
    [
        ('setflag "A B";', 'hasflag :is "b A"', True),
        ('setflag "A B";', 'hasflag ["b", "A"]', True),
        ('setflag "A B";', 'hasflag "c"', False),
        ("", 'hasflag "a"', False),
        ("", 'hasflag ""', False),
        ('set "MyVar" "NonJunk Junk gnus-forward $Forwarded NotJunk JunkRecorded $Junk $NotJunk";',
         'hasflag :contains "MyVar" "Junk"', True),
        ('set "MyVar" "NonJunk gnus-forward $Forwarded";', 'hasflag :contains "myvar" ["label", "forward"]', True),
        ('set "MyVar" "NonJunk gnus-forward";', 'hasflag :contains "MyVar" "label forward"', True),
        ('set "MyVar" "NonJunk gnus-forward";', 'hasflag :contains "MyVar" ["label1", "label2"]', False),
        ('set "MyFlags" "A B";', 'hasflag :count "ge" :comparator "i;ascii-numeric" "MyFlags" "2"', True),
        ('set "MyFlags" "A a B b";', 'hasflag :count "eq" :comparator "i;ascii-numeric" "MyFlags" "2"', True),
        ('set "a" "x y"; set "b" "y z";', 'hasflag :count "eq" :comparator "i;ascii-numeric" ["a", "b"] "4"', True),
        ('setflag "x y";', 'hasflag :count "eq" :comparator "i;ascii-numeric" "2"', True),
        ('setflag "$label1";', 'hasflag :matches "$label?"', True),
        ('setflag "\\\\sEEn";', 'hasflag :comparator "i;octet" "\\\\sEEn"', True),
        ('setflag "\\\\sEEn";', 'hasflag :comparator "i;octet" "\\\\Seen"', False),
        ('setflag "v" "x";', 'hasflag "x"', False),
        ('set "v" "\\\\Nonsense a]b x";', 'hasflag "v" ["\\\\nonsense", "a]b"]', False),
        ('set "v" "\\\\Nonsense a]b x";', 'hasflag :count "eq" :comparator "i;ascii-numeric" "v" "1"', True),
        ('if header :matches "subject" "I have*present*" {}', 'hasflag ["v", "1"] "a"', True),
    ],
)  # fmt: skip
def test_hasflag(setting, test, expected):
    found = actions(f"{R}{setting} if {test} {{ discard; }} else {{ keep; }}")
    assert (found[0]["action"] == "discard") is expected


def test_flag_variables_need_variables():
    for command in ("setflag", "addflag", "removeflag"):
        (problem,) = problems(f'require "imap4flags"; {command} "v" "a";')
        assert problem.endswith('the name of a flag variable needs variables: add require ["variables"]')
    assert len(problems('require "imap4flags"; if hasflag "v" "a" {}')) == 1
    assert problems('require "imap4flags"; setflag "a"; if hasflag "a" {}') == []


@pytest.mark.parametrize("name", ["a b", "1", "a.b", ""])
def test_a_flag_variable_has_a_proper_name(name):
    (problem,) = problems(f'require ["imap4flags", "variables"]; addflag "{name}" "x";')
    assert problem.startswith("1:46: error: ")
    assert f"'{name}'" in problem


@pytest.mark.parametrize("name", ["a b", "", "a.b", "a.", "99", "${v}"])
def test_hasflag_wants_proper_names(name):
    (problem,) = problems(f'require ["imap4flags", "variables"]; if hasflag ["v", "{name}"] "x" {{}}')
    assert "variable" in problem


def test_hasflag_reads_every_kind_of_variable():
    assert problems('require ["imap4flags", "variables", "include"]; if hasflag ["v", "1", "global.v"] "x" {}') == []


def test_a_flag_that_cannot_be_set_is_a_warning():
    assert warnings(R + 'setflag "\\\\Recent ok";') == [
        "2:9: warning: '\\Recent' is no flag that can be set: it is ignored"
    ]


def test_the_extended_example_of_the_rfc():
    script = """
        require ["fileinto", "imap4flags", "variables"];
        if size :over 1M {
            addflag "MyFlags" "Big";
            if header :is "From" "boss@company.example.com" { addflag "MyFlags" "\\\\Flagged"; }
            fileinto :flags "${MyFlags}" "Big messages";
        }
        if header :is "From" "grandma@example.net" {
            addflag "MyFlags" ["\\\\Answered", "$MDNSent"];
            fileinto :flags "${MyFlags}" "GrandMa";
        }
        if header :is "Sender" "owner-ietf-mta-filters@example.org" {
            set "MyFlags" "\\\\Flagged $Work";
            keep :flags "${MyFlags}";
        } elsif anyof (address :domain :is ["From", "To"] "company.example.com") {
            keep :flags "${MyFlags}";
        } elsif anyof (not address :all :contains ["To", "Cc"] "me@company.example.com",
                       header :matches "subject" ["*make*money*fast*", "*university*dipl*mas*"]) {
            removeflag "MyFlags" "\\\\Flagged";
            fileinto :flags "${MyFlags}" "spam";
        } else { fileinto :flags "${MyFlags}" "personal"; }
    """
    big = b"From: boss@company.example.com\n\n" + b"x" * (1 << 20)
    assert actions(script, big) == [
        filed("Big messages", "Big", "\\Flagged"), {"action": "keep", "flags": ["Big", "\\Flagged"]},
    ]  # fmt: skip
    assert actions(script, b"From: grandma@example.net\n\n") == [
        filed("GrandMa", "\\Answered", "$MDNSent"), filed("spam", "\\Answered", "$MDNSent"),
    ]  # fmt: skip
    assert actions(script, b"Sender: owner-ietf-mta-filters@example.org\n\n") == [
        {"action": "keep", "flags": ["\\Flagged", "$Work"]}
    ]


def test_the_test_of_the_internal_variable_alone():
    assert not holds('hasflag :contains ""', require="imap4flags")
