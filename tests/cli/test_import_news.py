"""`sievemda import news` at the command line."""

import json

import pytest

from tests.upkeep.importing.news_server import NewsServer

ARTICLE = b"Message-ID: <1@example.org>\nSubject: x\n\nx\n"


@pytest.fixture
def server():
    with NewsServer({"comp.lang.c": {1: ARTICLE}, "alt.x": {1: ARTICLE}}) as server:
        yield server


@pytest.mark.parametrize("kind", ["news", "--news"])
def test_a_server_and_a_pattern(call, server, kind):
    assert call("import", kind, f"nntp://127.0.0.1:{server.port}/comp.*") == (
        0,
        "comp.lang.c -> news/comp/lang/c: 1 came, 0 there already\n1 articles came\n",
        "",
    )
    assert call("acl", "list", "news/comp/lang/c")[1] == "anyone lrs\n"


def test_a_spool_without_a_prefix_in_json(call, tmp_path):
    directory = tmp_path / "spool" / "comp" / "lang"
    directory.mkdir(parents=True)
    (directory / "7").write_bytes(ARTICLE)
    code, out, _ = call("import", "news", str(tmp_path / "spool"), "--prefix", "", "--json")
    assert code == 0
    assert json.loads(out)["groups"] == [
        {
            "folder": "comp.lang",
            "mailbox": "comp/lang",
            "messages": 1,
            "added": 1,
            "there": 0,
            "failed": 0,
            "marked": 0,
            "removed": 0,
            "lost": {},
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["/no/such/directory"], 64, "neither a directory nor"),
        (["http://x"], 64, "neither a directory nor"),
        (["nntp://a:b@x"], 64, "no password in an address"),
        (["nntp://x:0"], 64, "is no port"),
        (["nntp://x", "--active", "f"], 64, "--active is for a directory"),
        (["nntp://127.0.0.1:1", "--prefix", "user/alice"], 64, "is no shared folder"),
        (["nntp://127.0.0.1:1"], 69, "Connection refused"),
    ],
)
def test_misuse_is_told(call, arguments, code, what):
    found, _, err = call("import", "news", *arguments)
    assert (found, what in err) == (code, True), err
