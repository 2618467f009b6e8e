"""Linux-PAM with its own modules, in a directory of services."""

import ctypes
import ctypes.util
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from sievemda import configload
from sievemda.auth.backends import Verdict
from sievemda.auth.backends.pam import Pam
from sievemda.auth.chain import users_of
from sievemda.auth.client import Client
from sievemda.errors import ConfigurationError, TemporaryTrouble
from tests.interop.processes import need, need_root

HERE = Client("192.0.2.7")
ACCOUNT = "account required pam_permit.so"


@pytest.fixture
def services(tmp_path):
    name = ctypes.util.find_library("pam")
    if name is None or not hasattr(ctypes.CDLL(name), "pam_start_confdir"):
        pytest.skip("not installed: libpam 1.4 or later")
    made = tmp_path / "pam.d"
    made.mkdir()
    return made


@pytest.fixture
def make(services, tmp_path):
    def make(*lines, sets=(), name="mail"):
        (services / name).write_text("".join(f"{line}\n" for line in lines))
        return Pam("mail", services, configload.load(data=tmp_path, sets=["auth_timeout=20", *sets]))

    return make


@pytest.fixture
def script(tmp_path):
    """A service that asks a program, which finds the password on its input and the rest in its environment."""

    def make(text):
        path = tmp_path / "check"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return f"auth required pam_exec.so quiet expose_authtok {path}"

    return make


def verdict(backend, user="alice", password="pencil", client=HERE):
    return backend.check(user, password, client).verdict


@pytest.mark.parametrize(
    ("auth", "account", "found"),
    [
        ("pam_permit.so", "pam_permit.so", Verdict.RIGHT),
        ("pam_deny.so", "pam_permit.so", Verdict.WRONG),
        ("pam_permit.so", "pam_deny.so", Verdict.WRONG),
        ("pam_debug.so auth=user_unknown", "pam_permit.so", Verdict.UNKNOWN),
        ("pam_debug.so auth=auth_err", "pam_permit.so", Verdict.WRONG),
        ("pam_debug.so auth=maxtries", "pam_permit.so", Verdict.WRONG),
        ("pam_permit.so", "pam_debug.so acct=acct_expired", Verdict.WRONG),
        ("pam_permit.so", "pam_debug.so acct=new_authtok_reqd", Verdict.WRONG),
        ("pam_permit.so", "pam_debug.so acct=user_unknown", Verdict.WRONG),
        ("pam_permit.so", "pam_debug.so acct=perm_denied", Verdict.WRONG),
    ],
)
def test_what_modules_say(make, auth, account, found):
    assert verdict(make(f"auth required {auth}", f"account required {account}")) is found


@pytest.mark.parametrize(
    "auth",
    [
        "pam_debug.so auth=authinfo_unavail",
        "pam_debug.so auth=cred_insufficient",
        "pam_debug.so auth=system_err",
        "pam_debug.so auth=conv_err",
        "pam_not_there.so",
        "pam_debug.so auth=abort",
    ],
)
def test_a_module_in_trouble_is_trouble(make, auth):
    with pytest.raises(TemporaryTrouble, match="PAM service mail: "):
        verdict(make(f"auth required {auth}", ACCOUNT))


def test_an_account_that_cannot_be_looked_up_is_trouble(make):
    with pytest.raises(TemporaryTrouble):
        verdict(make("auth required pam_permit.so", "account required pam_debug.so acct=authinfo_unavail"))


def test_the_right_password_is_told_from_a_wrong_one(make, script):
    backend = make(script('[ "$PAM_USER:$(tr -d "\\0")" = "alice:pén cil" ]'), ACCOUNT)
    assert verdict(backend, "alice", "pén cil") is Verdict.RIGHT
    assert verdict(backend, "alice", "pencil") is Verdict.WRONG
    assert verdict(backend, "bob", "pén cil") is Verdict.WRONG


def test_modules_see_the_address_and_the_kind_of_login(make, script, tmp_path):
    backend = make(
        script(f'echo "$PAM_SERVICE $PAM_RHOST $PAM_TTY $PAM_USER" > {tmp_path}/seen'),
        ACCOUNT,
        sets=["auth_username_format={local}@{domain}", "defaultdomain=example.org"],
    )
    assert verdict(backend, client=Client("2001:db8::1", service="lmtp")) is Verdict.RIGHT
    assert (tmp_path / "seen").read_text() == "mail 2001:db8::1 lmtp alice@example.org\n"


@pytest.mark.parametrize("user", ["", "a\0b", "\udcff", "x" * 5000])
def test_nobody_is_called_so(make, user):
    assert verdict(make("auth required pam_permit.so", ACCOUNT), user) is Verdict.UNKNOWN


@pytest.mark.parametrize("password", ["", "pencil\0", "\udcff", "x" * 5000])
def test_nothing_else_is_passed_for_a_password(make, password):
    assert verdict(make("auth required pam_permit.so", ACCOUNT), "alice", password) is Verdict.UNKNOWN


@pytest.mark.parametrize("user", ["root", "a b", "*", "alice)(uid=*", "$(id)", "; id", "../x", "alice\n"])
def test_a_hostile_name_arrives_as_a_name(make, script, tmp_path, user):
    verdict(make(script(f'printf %s "$PAM_USER" > {tmp_path}/seen'), ACCOUNT), user)
    assert (tmp_path / "seen").read_text() == user


def test_a_service_that_is_not_there_is_trouble_and_not_the_one_called_other(make, services):
    backend = make("auth required pam_permit.so", ACCOUNT, name="other")
    for ask in (lambda: verdict(backend), backend.probe):
        with pytest.raises(TemporaryTrouble, match="no PAM service mail"):
            ask()


def test_a_service_that_goes_away_meanwhile_is_trouble(make, services, script):
    with pytest.raises(TemporaryTrouble, match="No such file"):
        verdict(make(script(f"rm -r {services}; exit 1"), ACCOUNT))


def test_a_module_that_hangs_is_killed_with_its_children(make, script, tmp_path):
    backend = make(script(f"echo $$ > {tmp_path}/pid; exec sleep 600"), ACCOUNT, sets=["auth_timeout=1"])
    with pytest.raises(TemporaryTrouble, match="no answer in time"):
        verdict(backend)
    pid = int((tmp_path / "pid").read_text())
    assert any(_is_dead(pid) for _ in range(100))


def _is_dead(pid):
    """Whether it has ended, be it that nobody has asked how; else after a while."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    if state != "Z":
        time.sleep(0.1)
    return state == "Z"


def test_a_password_is_never_an_argument(make, script, tmp_path):
    backend = make(script(f"tr '\\0' ' ' < /proc/$PPID/cmdline > {tmp_path}/seen; env >> {tmp_path}/seen"), ACCOUNT)
    assert verdict(backend, password="hush") is Verdict.RIGHT
    assert "pam_helper.py" in (tmp_path / "seen").read_text()
    assert "hush" not in (tmp_path / "seen").read_text()


def test_a_second_factor_that_nobody_can_give_is_trouble(make):
    """pam_unix takes the first secret; pam_exec, which must not look at it, asks for another one."""
    asks = "auth required pam_stress.so"
    with pytest.raises(TemporaryTrouble):
        verdict(make("auth optional pam_exec.so quiet expose_authtok /bin/true", asks, ACCOUNT))


def test_users_of_pam_have_no_mechanism_but_those_with_a_password(services, make, tmp_path):
    make("auth required pam_permit.so", ACCOUNT)
    users = users_of(
        configload.load(
            data=tmp_path, sets=["auth_backends=pam", "auth_pam_service=mail", f"auth_pam_directory={services}"]
        )
    )
    assert users.mechanisms() == {"PLAIN"}
    assert users.check_password("Alice", "x") == "alice"
    assert users.check_password("a/b", "x") is None
    assert users.check_password("", "x") is None


@pytest.mark.parametrize("service", ["", "../x", "a/b", "-x", "x" * 200])
def test_a_service_is_a_plain_name(tmp_path, service):
    with pytest.raises(ConfigurationError, match="auth_pam_service"):
        configload.load(data=tmp_path, sets=[f"auth_pam_service={service}"])


def test_pam_unix_knows_the_accounts_of_the_system(services, make, tmp_path):
    """With other account files than this host's, in a name space where they lie in their place."""
    need_root()
    need("unshare", "mkpasswd")
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("name spaces cannot be made here")
    make("auth required pam_unix.so", "account required pam_unix.so")
    hashed = subprocess.run(
        ["mkpasswd", "-m", "yescrypt", "pencil"], check=True, capture_output=True, text=True
    ).stdout.strip()
    users = {
        "alice": f"{hashed}:19000:0:99999:7:::",
        "gone": f"{hashed}:19000:0:99999:7::19001:",
        "old": f"{hashed}:19000:0:1:7:1::",
        "shut": f"!{hashed}:19000:0:99999:7:::",
    }
    passwd = "root:x:0:0::/root:/bin/sh\n" + "".join(
        f"{user}:x:{5000 + n}:5000::/:/bin/sh\n" for n, user in enumerate(users)
    )
    (tmp_path / "passwd").write_text(passwd)
    (tmp_path / "shadow").write_text("".join(f"{user}:{line}\n" for user, line in users.items()))
    (tmp_path / "ask.py").write_text(textwrap.dedent(f"""
        from pathlib import Path
        from sievemda import configload
        from sievemda.auth.backends.pam import Pam
        from sievemda.auth.client import Client
        pam = Pam("mail", Path({str(services)!r}), configload.load(data=Path({str(tmp_path)!r})))
        for user, password in (("alice", "pencil"), ("alice", "wrong"), ("nobody2", "pencil"), ("gone", "pencil"), ("old", "pencil"), ("shut", "pencil")):
            print(user, password, pam.check(user, password, Client("192.0.2.7")).verdict.value)
    """))  # fmt: skip
    mounts = " && ".join(f"mount --bind {tmp_path}/{name} /etc/{name}" for name in ("passwd", "shadow"))
    command = [
        "unshare",
        "-m",
        "--propagation",
        "private",
        "sh",
        "-c",
        f"{mounts} && exec {sys.executable} {tmp_path}/ask.py",
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, cwd=Path.cwd()).stdout
    assert said.splitlines() == [
        "alice pencil right", "alice wrong wrong", "nobody2 pencil unknown", "gone pencil wrong", "old pencil wrong", "shut pencil wrong",
    ]  # fmt: skip
