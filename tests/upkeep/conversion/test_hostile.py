"""Any text is converted to a script that compiles, and no mail vanishes for it."""

import random

import pytest

from sievemda.sieve import Limits, compile_script
from sievemda.upkeep.conversion.forward import File, convert_forward
from sievemda.upkeep.conversion.maildrop import convert_maildrop
from sievemda.upkeep.conversion.procmail import convert_procmail
from sievemda.upkeep.conversion.variables import readable
from tests.upkeep.conversion.going import SITE

CONVERT = {
    "procmail": lambda text: convert_procmail(text, "rc", SITE, {"x": text}.get),
    "maildrop": lambda text: convert_maildrop(text, "filter", SITE, {"x": text}.get),
    "forward": lambda text: convert_forward([File(".forward", text)], SITE, {"x": text}.get),
}
WORDS = [
    *(
        ":0\n",
        ":0 c\n",
        ":0 fw\n",
        ":0 E:\n",
        ":0 Ac\n",
        ":0 B\n",
        "* ",
        "! ",
        "^Subject:.*",
        "^TO_",
        "^FROM_DAEMON",
        "{\n",
    ),
    *(
        "}\n",
        "\n",
        " ",
        "foo",
        "(",
        ")",
        "[",
        "]",
        "|",
        "*",
        "+",
        "?",
        "\\/",
        "\\<",
        "^^",
        "$",
        "${X:-y}",
        "X=",
        "X ?? ",
    ),
    *("1^0 ", "-1^1 ", "> 100", "| formail -I ", "| cat > ", "/dev/null\n", "lists/", "$MATCH", "`ls`", '"', "'", "\\"),
    *(
        "if (",
        "/^From:(.*)/",
        "elsif (",
        "else",
        "to ",
        "cc ",
        "exit\n",
        "&&",
        "||",
        "=~",
        "foreach ",
        "exception ",
        "lookup(",
    ),
    *(
        "a@b.example",
        ", ",
        ":include:x",
        "\\alice",
        "#",
        "${",
        "\x00",
        "\x01",
        "\xff",
        "\u20ac",
        ";",
        "=",
        "a{2,3}",
        "(?:",
        "[[:x:]]",
    ),
    *(
        "INCLUDERC=x\n",
        "SWITCHRC=x\n",
        'include "x"\n',
        "DEFAULT=",
        "MAILDIR=",
        "EXITCODE=67\n",
        "HOST\n",
        "..",
        "FLAGS=",
    ),
]


@pytest.mark.parametrize("kind", CONVERT)
def test_random_rules_become_a_script_that_compiles(kind):
    dice = random.Random(f"rules for {kind}")
    for _ in range(60):
        text = "".join(dice.choices(WORDS, k=dice.randrange(1, 40)))
        found = CONVERT[kind](readable(text.encode()))
        compile_script(found.script, Limits(), SITE.available)
        for finding in found.findings:
            assert str(finding).isprintable()


@pytest.mark.parametrize("kind", CONVERT)
@pytest.mark.parametrize(
    "text",
    [
        "(" * 3000,
        ":0\n* ^Subject:" + "(" * 200 + "a" + ")" * 200 + "\nx\n",
        ":0\n* ^Subject:" + "(a?|b?)" * 500 + "c\nx\n",
        ":0\n* " + "(a|b)" * 500 + "\nx\n",
        ":0\n* ^" + "[a-z]?" * 60 + ":x\nx\n",
        ":0\n* ^Subject:.*" + "a?" * 1900 + "\nx\n",
        ":0\n{\n" * 2000,
        ":0 E\n* ^Subject:.*x\ny\n" * 300,
        ":0 c\n{\n:0\n* ^Subject:.*x\ny\n" + ":0\n* ^Subject:.*x\nz\n" * 60 + "}\n",
        "A=aaaaaaaaaa\n" + "A=$A$A$A$A\n" * 40 + ":0\n$A\n",
        "X=" + "${X:-" * 400 + "}" * 400,
        '"' * 9999,
        "if (1)\n{\n" * 900,
        "if (" + "!" * 3000 + "1)\nto x\n",
        'if (/a/)\nto "x"\n' * 400,
        "x@y.example, " * 3000,
        ":include:x\n" * 50,
        "\\" * 5000,
        "/" * 5000,
        "\xe9\xff" * 2000,
    ],
    ids=range(20),
)
def test_what_is_meant_to_hurt_does_not(kind, text):
    found = CONVERT[kind](readable(text.encode("latin-1")))
    compile_script(found.script, Limits(), SITE.available)
