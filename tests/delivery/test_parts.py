"""Messages that a script has made of the one that came, in real deliveries."""

from sievemda.mail.result import Result
from tests.delivery.world import message

ALICE = "alice@mx.example.org"
FILES = message(
    extra="MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n",
    body="--b\n\nhello\n--b\nContent-Type: application/exe\n\nvirus\n--b\nContent-Type: image/x\n\na\nb\n--b--\n",
)
REPLACE = """require ["foreverypart", "mime", "replace", "fileinto", "copy"];
fileinto :copy "Lists";
foreverypart { if header :mime :subtype "content-type" "exe" { replace "removed"; } }
"""


def delivered(world, script, data=FILES):
    world.user("alice", "Lists", script=script)
    assert world.deliver(ALICE, data) == [Result.DELIVERED]


def test_a_replaced_part_is_stored_and_what_was_filed_before_has_the_old_one(world):
    delivered(world, REPLACE)
    assert b"\n\nremoved\n--b\nContent-Type: image/x" in world.stored("user/alice")
    assert b"virus" not in world.stored("user/alice")
    assert b"virus" in world.stored("user/alice/Lists")
    (file,) = world.files("user/alice")
    assert f",S={file.stat().st_size}" in file.name


def test_an_enclosed_message_is_stored_and_redirect_sends_the_bare_one(world):
    delivered(world, 'require ["enclose", "copy"]; enclose "see below"; redirect :copy "carol@example.net";')
    stored = world.stored("user/alice")
    assert b"Content-Type: message/rfc822" in stored
    assert b"\nsee below\n" in stored
    ((_, sent),) = world.outgoing()
    assert b"message/rfc822" not in sent
    assert b"virus" in sent


def test_a_program_of_the_site_converts_octets_as_they_are(make_world, tmp_path):
    program = tmp_path / "image-x-to-image-y"
    program.write_text("#!/bin/sh\ncat; printf ' %s' \"$1\"\n")
    program.chmod(0o755)
    world = make_world(sieve_convert_bin_dir=tmp_path)
    delivered(world, 'require "convert"; convert "image/x" "image/y" ["pix-x=3"]; convert "image/q" "image/y" "";')
    assert b"Content-Type: image/y\nContent-Transfer-Encoding: base64\n\nYQpiIHBpeC14PTM=\n" in world.stored(
        "user/alice"
    )


def test_after_an_error_the_message_is_stored_as_it_came(world):
    delivered(world, REPLACE + 'foreverypart { replace :mime text:\nContent-Type: a/b\n\n--b\n.\n; }  redirect "x y";')
    assert b"virus" in world.stored("user/alice")


def test_a_message_of_ten_thousand_parts_is_delivered(world):
    script = 'require ["body", "foreverypart", "replace"]; if body :contains "nowhere" { discard; } foreverypart { }'
    data = message(extra="Content-Type: multipart/mixed; boundary=b\n", body="--b\n\nx\n" * 10_000)
    delivered(world, script, data)
    assert world.keywords("user/alice") == []
    assert world.stored("user/alice").endswith(b"--b\n\nx\n")
