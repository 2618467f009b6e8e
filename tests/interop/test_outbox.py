"""Mail of our own leaves through the program `sendmail` of a real MTA."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.postfix import Postfix
from tests.interop.sink import Sink
from tests.interop.site import Site, message


@pytest.fixture
def submitting_site(
    make_directory: Callable[[], Path], virtual_postfix: Postfix, logs: dict[str, Path]
) -> Iterator[Site]:
    directory = make_directory()
    program = directory / "sendmail"
    program.write_text(f'#!/bin/sh\nexec /usr/sbin/sendmail -C {virtual_postfix.etc} "$@"\n')
    program.chmod(0o755)
    site = Site(directory / "site", {"smtp_backend": "sendmail", "sendmail": str(program)})
    logs["sievemda with sendmail"] = site.log
    site.start()
    yield site
    site.stop()


def test_redirect_and_vacation_leave_through_the_sendmail_program(submitting_site: Site, sink: Sink, new_name) -> None:
    user = submitting_site.user(new_name("user"))
    away, sender = f"{new_name('away')}@example.net", f"{new_name('sender')}@example.net"
    submitting_site.script(
        user, f'require ["copy", "vacation"];\nredirect :copy "{away}";\nvacation "Back on Monday";\n'
    )
    content = message("..a line with a dot\n.\nlast line", to=f"{user}@example.org")

    assert [code for code, _ in submitting_site.lmtp(content, f"{user}@example.org", sender=sender)] == [250]

    redirected = sink.wait_for(away)
    assert redirected.mail_from == sender
    assert redirected.original_content.endswith(b"\r\n\r\n..a line with a dot\r\n.\r\nlast line\r\n")
    reply = sink.wait_for(sender)
    assert reply.mail_from == "<>"
    assert b"Back on Monday" in reply.original_content
