import pytest

from sievemda.sieve import Limits
from sievemda.sieve.extensions.variables import cut
from tests.sieve.trying import actions, holds, outcome, problems, warnings

R = 'require ["variables", "fileinto", "envelope", "relational", "comparator-i;ascii-numeric"];\n'


def value(script, message=b"Subject: x\n\n", **options):
    """The mailbox that a script files into."""
    return actions(R + script, message, **options)[-1]["mailbox"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("&%${}!", "&%${}!"),
        ("${doh!}", "${doh!}"),
        ("x${full}", "x"),
        ("${company}", "ACME"),
        ("${COMPANY}", "ACME"),
        ("${BAD${Company}", "${BADACME"),
        ("${President, ${Company} Inc.}", "${President, ACME Inc.}"),
        ("${comp\\any}", "ACME"),
        ("${comp\\\\any}", "${comp\\any}"),
        ("\\${company}", "ACME"),
        ("\\\\${company}", "\\ACME"),
        ("${dollar}{beep}", "${beep}"),
        ("${dollar}{company}", "${company}"),
        ("a${1}b${0}c${32}", "abc"),
        ("${ company}", "${ company}"),
        ("${com-pany}", "${com-pany}"),
        ("${.x}", "${.x}"),
        ("${1x}", "${1x}"),
        ("$${company}$", "$ACME$"),
        ("${_x1}", "under"),
    ],
)
def test_references_are_filled_in(text, expected):
    script = 'set "company" "ACME"; set "dollar" "$"; set "_x1" "under"; '
    assert value(f'{script}fileinto "{text}";') == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('set "b" "${a}";', "juMBlEd lETteRS"),
        ('set :length "b" "${a}";', "15"),
        ('set :lower "b" "${a}";', "jumbled letters"),
        ('set :upper "b" "${a}";', "JUMBLED LETTERS"),
        ('set :upperfirst "b" "${a}";', "JuMBlEd lETteRS"),
        ('set :lowerfirst "b" "Xyz";', "xyz"),
        ('set :upperfirst :lower "b" "${a}";', "Jumbled letters"),
        ('set :lower :upperfirst "b" "${a}";', "Jumbled letters"),
        ('set :LOWER "b" "${a}";', "jumbled letters"),
        ('set :quotewildcard "b" "Rock*";', "Rock\\*"),
        ('set :quotewildcard "b" "a?b\\\\c*";', "a\\?b\\\\c\\*"),
        ('set :length :quotewildcard "b" "Rock*";', "6"),
        ('set :length "b" "grün";', "4"),
        ('set :length "b" "${none}";', "0"),
        ('set :upper "b" "grün ß";', "GRüN ß"),
        ('set :upperfirst "b" "ürgh";', "ürgh"),
        ('set "b" "1"; set "B" "2";', "2"),
        ('set "b" "x"; set "b" "${b}${b}";', "xx"),
    ],
)
def test_set_and_its_modifiers(script, expected):
    assert value(f'set "a" "juMBlEd lETteRS"; {script} fileinto "${{b}}";') == expected


@pytest.mark.parametrize(
    ("header", "pattern", "expected"),
    [
        ("[acme-users] [fwd] version 1.0 is out", "[*] *", "acme-users|[fwd] version 1.0 is out|"),
        ("a-b-c", "*-*", "a|b-c|"),
        ("a-b-c", "*-?-*", "a|b|c"),
        ("abc", "**", "|abc|"),
        ("abc", "?*", "a|bc|"),
        ("abc", "*?", "ab|c|"),
        ("ABC", "a?c", "B||"),
        ("abcabc", "*bc", "abca||"),
        ("aXbXc", "*x*x*", "a|b|c"),
        ("a*b", "a\\\\*?", "b||"),
        ("grün", "gr*n", "ü||"),
        ("grün", "gr??n", None),
    ],
)
def test_wildcards_take_as_little_as_possible(header, pattern, expected):
    message = f"Subject: {header}\n\n".encode()
    script = f'if header :matches "subject" "{pattern}" {{ fileinto "${{1}}|${{2}}|${{3}}"; }}'
    if expected is None:  # two halves of one character
        assert value(script.replace("|${2}|${3}", "${2}"), message) == "ü"
    else:
        assert value(script, message) == expected


def test_match_variable_0_is_the_value():
    script = 'if address :matches ["To", "Cc"] ["coyote@**.com", "wile@**.com"] { fileinto "${0}|${1}|${2}"; }'
    assert value(script, b"To: coyote@ACME.Example.COM\n\n") == "coyote@ACME.Example.COM||ACME.Example"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('if header :matches "subject" "*-*" {} if header :matches "subject" "no*" {} fileinto "${1}";', "a"),
        ('if header :matches "subject" "*-*" {} if header :contains "subject" "b" {} fileinto "${1}";', "a"),
        ('if header :matches "subject" "*-*" {} if header :matches "subject" "*" {} fileinto "${1}|${2}";', "a-b|"),
        ('if anyof (true, header :matches "subject" "*-*") {} fileinto "x${1}";', "x"),
        ('if allof (header :matches "subject" "*-*", false) {} fileinto "${1}";', "a"),
        ('if header :matches "subject" "*-*" { set "s" "${1}"; } set "1x" "";', None),
        ('if header :matches "subject" "*-*" {} if string :matches "${1}" "?" {} fileinto "${1}${2}";', "a"),
    ],
)
def test_match_variables_are_those_of_the_last_match_that_succeeded(script, expected):
    if expected is None:
        assert problems(R + script)
    else:
        assert value(script, b"Subject: a-b\n\n") == expected


def test_matching_stops_at_the_first_value_and_key_that_match():
    message = b"Subject: one\nSubject: two\n\n"
    assert value('if header :matches "subject" ["t*", "*"] {} fileinto "${0}";', message) == "one"


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ('string :matches " ${state} " "* pending *"', True),
        ('string "${state}" ["x", "done pending"]', True),
        ('string :is "a " "a"', False),
        ('string :is "" ""', True),
        ('string :contains ["x", "y"] "Y"', True),
        ('string :count "eq" :comparator "i;ascii-numeric" ["", "a", "${none}", "b"] "2"', True),
        ('string :count "eq" :comparator "i;ascii-numeric" "" "0"', True),
        ('string :value "gt" :comparator "i;ascii-numeric" "10" "9"', True),
    ],
)
def test_string(test, expected):
    script = f'{R}set "state" "done pending"; if {test} {{ discard; }}'
    assert outcome(script).implicit_keep is not expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('set "0" "x";', "2:5: error: invalid variable name '0'"),
        ('set "a.b" "x";', "2:5: error: invalid variable name 'a.b': unknown namespace 'a' in the variable ${a.b}"),
        ('set "a-b" "x";', "2:5: error: invalid variable name 'a-b'"),
        ('set "" "x";', "2:5: error: invalid variable name ''"),
        ('set "${a}" "x";', "2:5: error: the name of a variable must be a constant string"),
        ('set :upper :lower "a" "x";',
         "2:12: error: duplicate modifier of precedence 40 ':lower' for the set command: it may be given only once"),
        ('set :upper :upper "a" "x";',
         "2:12: error: duplicate modifier of precedence 40 ':upper' for the set command: it may be given only once"),
        ('set :frob "a" "x";', "2:5: error: unknown tagged argument ':frob' for the set command (it has no such tag)"),
        ('fileinto "${33}";', "2:10: error: match variable ${33} is out of range: the highest is ${32}"),
        ('fileinto "${99999999999999999999}";',
         "2:10: error: match variable ${99999999999999999999} is out of range: the highest is ${32}"),
        ('fileinto "${foo.bar}";', "2:10: error: unknown namespace 'foo' in the variable ${foo.bar}"),
        (f'set "{"a" * 65}" "x";', "2:5: error: variable name too long: the limit is 64 characters"),
    ],
)  # fmt: skip
def test_what_is_wrong_at_upload(script, expected):
    assert problems(R + script) == [expected]


def test_leading_zeros_of_an_index_are_ignored():
    assert value('if header :matches "subject" "?" {} fileinto "${0001}";') == "x"


def test_names_of_32_characters_and_128_variables_are_possible():
    script = "".join(f'set "{"v" * 28}{n:04}" "{n}"; ' for n in range(128))
    assert value(f'{script}fileinto "${{{"v" * 28}0127}}";') == "127"


def test_too_many_variables_are_one_problem():
    script = "".join(f'set "v{n}" "x";\n' for n in range(300))
    assert problems(R + script) == ["257:5: error: too many variables: the limit is 255"]


def test_a_value_too_long_is_cut_between_characters():
    limits = Limits(variable_size=10)
    assert value('set "a" "äöüäöü"; fileinto "${a}";', limits=limits) == "äöüäö"
    assert value('set "a" "xäöüäöü"; fileinto "${a}";', limits=limits) == "xäöüä"
    assert value('set :quotewildcard "a" "xx*******"; fileinto "${a}";', limits=limits) == "xx\\*\\*\\*\\*"
    assert value('set :quotewildcard "a" "x*******"; fileinto "${a}";', limits=limits) == "x\\*\\*\\*\\*"


def test_a_constant_too_long_is_a_warning():
    assert warnings(f'{R}set "a" "{"x" * 20_000}";') == [
        "2:9: warning: the value is cut: a variable holds 16384 octets, this has 20000"
    ]


def test_4000_characters_of_any_kind_fit():
    text = "📬" * 4000
    assert value(f'set "a" "{text}"; set :length "b" "${{a}}"; fileinto "${{b}}";') == "4000"


@pytest.mark.parametrize(
    ("size", "expected"), [(0, ""), (1, ""), (2, "ä"), (3, "ä"), (4, "äö"), (5, "äöx"), (9, "äöx")]
)
def test_cut(size, expected):
    assert cut("äöx", size) == expected


def test_doubling_a_variable_again_and_again_stays_bounded():
    script = (
        'set "a" "0123456789"; ' + 'set "a" "${a}${a}${a}${a}"; ' * 100 + 'set :length "n" "${a}"; fileinto "${n}";'
    )
    assert value(script) == "16384"


def test_without_the_require_dollar_signs_are_text():
    assert actions('require "fileinto"; fileinto "${1}";')[0]["mailbox"] == "${1}"
    assert problems('set "a" "b";') == ["1:1: error: unknown command 'set'"]


def test_variables_stand_in_every_string_of_a_test():
    assert holds('header "${name}" "x"', b"Subject: x\n\n", require="variables") is False
    script = R + 'set "name" "subject"; set "key" "X"; if header "${name}" ["${key}"] { discard; }'
    assert actions(script, b"Subject: x\n\n") == [{"action": "discard"}]


def test_a_variable_set_from_the_match_it_came_from():
    script = 'if header :matches "subject" "*-*" { set "x" "${2}"; if string :matches "${2}" "?*" { fileinto "${1}|${2}"; } }'
    assert value(script, b"Subject: a-bcd\n\n") == "b|cd"
