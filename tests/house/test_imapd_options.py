"""Options of imapd.conf that touch delivery are settings of that name, or the README says why not."""

import re
from pathlib import Path

import pytest

from sievemda.configload import known

README = Path(__file__).resolve().parents[2] / "README.md"
OPTIONS = """
    acl_admin_implies_write admins allowsetacl altnamespace altprefix anyoneuseracl anysievefolder autocreate_acl
    autocreate_inbox_folders autocreate_post autocreate_quota autocreate_quota_messages autocreate_sieve_folders
    autocreate_sieve_script autocreate_subscribe_folders autocreate_subscribe_sharedfolders
    autocreate_subscribe_sharedfolders_all autocreate_users configdirectory defaultacl defaultdomain defaultpartition
    delete_mode deleteright duplicate_db_path duplicatesuppression expunge_mode fulldirhash hashimapspool imap_admins
    implicit_owner_rights lmtp_admins lmtp_catchall_mailbox lmtp_downcase_rcpt lmtp_exclude_specialuse
    lmtp_fuzzy_mailbox_match lmtp_over_quota_perm_failure lmtp_strict_quota lmtp_strict_rfc2821 lmtpsocket
    mailbox_maxmessages_email mailnotifier maxmessagesize munge8bit notifysocket partition_select_exclude
    partition_select_mode partition_select_soft_usage_limit partition_select_usage_reinit postmaster postuser
    proxyservers quotawarnmsg quotawarnpercent quotawarnsize reject8bit rfc3028_strict sendmail serverinfo servername
    sharedprefix sieve_duplicate_max_expiration sieve_extensions sieve_maxscripts sieve_maxscriptsize sieve_mdn_private
    sieve_use_lmtp_reject sieve_utf8fileinto sieve_vacation_max_response sieve_vacation_min_response sievedir
    sievenotifier sieveusehomedir singleinstancestore smtp_backend smtp_host soft_noauth srs_domain srs_secrets
    unixhierarchysep username_tolower userprefix virtdomains
"""


def left_out():
    _, _, table = README.read_text().partition("Options of imapd.conf that are left out:\n")
    return set(re.findall(r"^\| `([a-z0-9_]+)` \| [^|]+ \|$", table.partition("\n## ")[0], re.MULTILINE))


@pytest.mark.parametrize("option", OPTIONS.split())
def test_every_option_is_a_setting_or_left_out_with_its_reason(option):
    settings = {key.partition(".")[2] for key in known()}
    assert (option in settings) is not (option in left_out())


def test_nothing_else_is_said_to_be_left_out():
    assert left_out() <= set(OPTIONS.split())
