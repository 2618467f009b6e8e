"""How many errors a bad script has, as the test language prescribes; the one that sums up is not among them.

Pigeonhole 0.5.19 counts the same here, except for NUL and CR in a string, which are more than one there.
"""

import pytest

from sievemda.sieve import Limits, ScriptError, compile_script


def count(script):
    try:
        compile_script(script, Limits())
    except ScriptError as e:
        return e.stage, sum(problem.severity == "error" for problem in e.problems)
    return "", 0


R = 'require ["fileinto", "variables", "imap4flags", "relational", "enotify", "date", "index", "mime", "foreverypart"];\n'


@pytest.mark.parametrize(
    ("script", "errors"),
    [
        # tokens
        ("keep 99999999999999999999999;", 1),
        ("a" * 33 + ";", 1),
        ("keep :" + "a" * 33 + ";", 1),
        ('redirect "a', 1),
        ("/* a", 1),
        ('redirect "a\0";', 1),
        ('redirect "a\rb";', 1),
        ("keep $$$;", 2),
        ("if true { $$$ }", 2),
        ("$$$", 2),
        ("99999999999999999999; keep $;", 1),  # a word with a fault in it stands for nothing that is expected
        ("a" * 33 + "; keep $;", 1),
        ('redirect ["a\0", "b"]; keep $;', 3),
        ("if size :over 99999999999999999999 { keep $; }", 3),
        # constructs
        ('redirect ["a" "b"];', 1),
        ('redirect ["a",];', 1),
        ('redirect ["a"; "b"];', 1),
        ("if anyof (true, ) { stop; }", 1),
        ("if anyof (true; false) { stop; }", 2),
        ("if true { discard }", 1),
        ("if true { keep; } }", 1),
        ("if true { 5 } keep $;", 1),  # what ends the broken block ends what is around it
        ("if true { if true { ; } keep $; } keep $;", 3),
        ("if true { keep $ } keep $;", 4),
        ("} } } $$ [", 1),
        ("keep; 5 [ ( stop", 1),
        ("redirect [5]; keep; 5", 1),  # the end of the file is not asked for where something was wrong before
        ("keep " + "1 " * 33 + ";", 1),
        ("if true {" * 32 + "}" * 32, 1),
        ('if header :is ["a" "b"] "x" { keep; }\nif true { discard }\nif anyof (true, ) { stop; }\nredirect "a@b.c";', 3),
    ],
)  # fmt: skip
def test_errors_of_reading(script, errors):
    assert count(script) == ("parse", errors)


@pytest.mark.parametrize(
    ("script", "errors"),
    [
        ("frob; frob; if frob { frob; }", 1),
        ("frob :a 5 { nix; } ", 1),
        ("header; header; if keep { nix; }", 4),
        ("if keep { frob; } if keep { frob; }", 3),
        ("keep :foo; keep :foo; discard :foo;", 2),
        ("keep :foo :bar;", 1),
        ('if header :is :contains :comparator 5 "a" "b" { }', 1),
        ('if header :comparator "i;klingon" :is :is "a" { }', 1),
        ('if header "a" :is "b" :is { }', 1),
        ('keep "x" true;', 2),
        ('keep :foo "x" true;', 2),
        ("keep discard;", 1),
        ("keep (discard);", 1),
        ("keep frob;", 1),
        ('if header contains "a" "b" { }', 2),
        ("if { frob; }", 2),
        ("if (true, false) { frob; }", 2),
        ("if anyof true { frob; }", 2),
        ("if true; keep { frob; }", 2),
        ("keep 5 { frob; }", 1),
        ("if 5 { frob; }", 3),
        ("if header 5 5 { frob; }", 2),
        ('require ["frob", "fileinto", "nix"];', 2),
        ("if not header { frob; }", 2),
        ('if true { require "fileinto"; fileinto "x"; }', 2),
        ('require ["imapflags", "imap4flags"]; keep 5;', 2),
        ("else true { frob; }", 2),  # where it stands is a rule of its own, for who is right in form
        ("keep; elsif { frob; }", 2),
        ("else 5;", 1),
        ("keep; require frob;", 2),
        ('require "extracttext"; keep 5; frob;', 1),
        # what can never be reached
        ("if false { frob; }", 0),
        ("if true { } elsif frob { frob; } else { frob; }", 0),
        ("if true { } elsif { frob; }", 2),
        ("if true { } else 5 { frob; }", 2),
        ("if true { } else keep { frob; }", 2),
        # rules of single commands
        (R + 'set :upper :lower "a" "b";', 1),
        (R + 'set "0" "b"; set "a.b" "c"; set "${x}" "b"; set "a b" "c";', 4),
        (R + 'set "a" "${33}${34}";', 1),
        (R + 'if header :index 0 "a" "b" { } if header :last "a" "b" { }', 2),
        (R + 'if header :anychild "a" "b" { } if header :type "a" "b" { }', 2),
        (R + 'notify :options ["a", "-b=c"] "mailto:a@b.c";', 1),
        (R + "break;", 1),
        (R + 'foreverypart :name "a" { break :name "b"; }', 1),
        (R + 'if address ["subject", "x-foo"] "b" { keep; }', 1),
        (R + 'redirect "a@b, c@d"; redirect ""; redirect "Foo: a@b;"; redirect "a@";', 4),
        (R + 'if header :count "xx" "a" "b" { } if header :comparator "${a}" "a" "b" { }', 2),
        (R + "foreverypart { foreverypart { foreverypart { foreverypart { foreverypart { keep; } } } } }", 1),
    ],
)  # fmt: skip
def test_errors_of_binding(script, errors):
    assert count(script) == ("bind" if errors else "", errors)
