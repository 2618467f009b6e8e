"""One question to PAM, as a program of its own: `python -I -S pam_helper.py`, which imports nothing of ours.

Standard input has service, directory of services, user, password, address and terminal, each ended by NUL; the answer
on standard output is `PHASE CODE TEXT`: what pam_start, pam_authenticate or pam_acct_mgmt returned, the last of them
that was called.
"""

from __future__ import annotations

import ctypes
import sys

TYPE_CHECKING = False  # not typing's, which takes longer to load than all the rest
if TYPE_CHECKING:
    from typing import Any

_PROMPT_ECHO_OFF, _PROMPT_ECHO_ON = 1, 2
_TTY, _RHOST, _FAIL_DELAY = 3, 4, 10  # items
_SUCCESS, _BUF_ERR, _CONV_ERR = 0, 5, 19
_SILENT, _NO_EMPTY_PASSWORD = 0x8000, 0x0001


class _Message(ctypes.Structure):
    _fields_ = (("style", ctypes.c_int), ("text", ctypes.c_char_p))


class _Response(ctypes.Structure):
    _fields_ = (("text", ctypes.c_void_p), ("code", ctypes.c_int))


_Messages = ctypes.POINTER(ctypes.POINTER(_Message))
_Responses = ctypes.POINTER(ctypes.POINTER(_Response))
_Talk = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, _Messages, _Responses, ctypes.c_void_p)
_Delay = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)


class _Conversation(ctypes.Structure):
    _fields_ = (("talk", _Talk), ("data", ctypes.c_void_p))


def _talking(user: bytes, password: bytes) -> Any:
    """What answers a module: one that asks a second secret is told that there is none."""
    libc = ctypes.CDLL(None)
    libc.calloc.restype = libc.strdup.restype = ctypes.c_void_p
    libc.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
    libc.strdup.argtypes = [ctypes.c_char_p]
    secrets = [password]

    def talk(count: int, messages: Any, responses: Any, _data: Any) -> int:
        made = libc.calloc(count, ctypes.sizeof(_Response))
        if not made:
            return _BUF_ERR
        answers = ctypes.cast(made, ctypes.POINTER(_Response))
        for number in range(count):
            style = messages[number].contents.style
            if style == _PROMPT_ECHO_OFF and not secrets:
                return _CONV_ERR
            if style in (_PROMPT_ECHO_OFF, _PROMPT_ECHO_ON):
                answers[number].text = libc.strdup(secrets.pop() if style == _PROMPT_ECHO_OFF else user)
        responses[0] = answers
        return _SUCCESS

    return _Talk(talk)


def ask(service: bytes, directory: bytes, user: bytes, password: bytes, address: bytes, terminal: bytes) -> str:
    """The answer."""
    pam = ctypes.CDLL("libpam.so.0")  # looking for it would start two more programs
    pam.pam_strerror.restype = ctypes.c_char_p
    pam.pam_set_item.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
    for function in (pam.pam_authenticate, pam.pam_acct_mgmt, pam.pam_end, pam.pam_strerror):
        function.argtypes = [ctypes.c_void_p, ctypes.c_int]
    handle, conversation = ctypes.c_void_p(), _Conversation(_talking(user, password), None)
    at, talk = ctypes.byref(handle), ctypes.byref(conversation)
    if directory:
        code = pam.pam_start_confdir(service, user, talk, directory, at)
    else:
        code = pam.pam_start(service, user, talk, at)
    phase = "start"
    if code == _SUCCESS:
        # No pause of PAM's own after a wrong password: who asks us makes his, and others wait for our answer.
        no_pause = _Delay(lambda _status, _microseconds, _data: None)
        pam.pam_set_item(handle, _FAIL_DELAY, ctypes.cast(no_pause, ctypes.c_void_p))
        pam.pam_set_item(handle, _TTY, ctypes.cast(ctypes.c_char_p(terminal), ctypes.c_void_p))
        if address:
            pam.pam_set_item(handle, _RHOST, ctypes.cast(ctypes.c_char_p(address), ctypes.c_void_p))
        phase, code = "auth", pam.pam_authenticate(handle, _SILENT | _NO_EMPTY_PASSWORD)
    if phase == "auth" and code == _SUCCESS:
        phase, code = "account", pam.pam_acct_mgmt(handle, _SILENT | _NO_EMPTY_PASSWORD)
    text = pam.pam_strerror(handle, code) or b""
    if handle:
        pam.pam_end(handle, code)
    return f"{phase} {code} {text.decode(errors='replace')}"


if __name__ == "__main__":
    fields = sys.stdin.buffer.read().split(b"\0")[:-1]
    sys.stdout.write(ask(*fields) + "\n")
