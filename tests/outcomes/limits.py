"""Cases of room and none: what is accepted, refused and put elsewhere by the quota roots (semantics, section 7).

A case is its site, what it is about, and steps; see `Table` in `test_limits`.
"""

WORLDS = {
    "soft": ("admins=cyrus", "partition-two={base}/two", "lmtp_admins=postboss"),
    "strict": ("lmtp_strict_quota=yes",),
    "perm": ("lmtp_over_quota_perm_failure=yes", "lmtp_catchall_mailbox=carol"),
    "virt": ("virtdomains=userid", "defaultdomain=example.com", "postuser=bb"),
}

CASES = [
    ("soft", "anything is accepted while the usage has not passed the limit: one into a limit of 0",
     ("mk user/{u} / quota user/{u} MESSAGE 0 / send {u}@x => 250 / send {u}@x => 452 / count user/{u}=1 / "
      "used user/{u} MESSAGE 1 / known user/{u} MESSAGE 1")),
    ("strict", "nothing into a limit of 0",
     "mk user/{u} / quota user/{u} MESSAGE 0 / send {u}@x => 452 / send {u}@x => 452 / count user/{u}=0"),
    ("soft", "one more is accepted at a limit of messages, and no second",
     ("mk user/{u} / quota user/{u} MESSAGE 2 / put user/{u} 2 10 count / send {u}@x => 250 / send {u}@x => 452 / "
      "count user/{u}=3 / used user/{u} MESSAGE 3 / known user/{u} MESSAGE 3")),
    ("strict", "as many as the limit says",
     ("mk user/{u} / quota user/{u} MESSAGE 2 / put user/{u} 1 10 count / send {u}@x => 250 / send {u}@x => 452 / "
      "count user/{u}=2")),
    ("soft", "an eleventh message is accepted into a limit of 10, and no twelfth",
     ("mk user/{u} / quota user/{u} MESSAGE 10 / put user/{u} 10 10 count / send {u}@x => 250 / send {u}@x => 452 / "
      "count user/{u}=11 / used user/{u} MESSAGE 11 / known user/{u} MESSAGE 11")),
    ("soft", "-1 is no limit",
     "mk user/{u} / quota user/{u} MESSAGE -1 / put user/{u} 5 10 / send {u}@x => 250"),
    ("soft", "the first message goes into a limit of no storage",
     "mk user/{u} / quota user/{u} STORAGE 0 / send {u}@x => 250 / send {u}@x => 452"),
    ("soft", "an octet below the limit of storage",
     "mk user/{u} / quota user/{u} STORAGE 1 / put user/{u} 1 1023 count / send {u}@x => 250"),
    ("soft", "at the limit of storage",
     "mk user/{u} / quota user/{u} STORAGE 1 / put user/{u} 1 1024 count / send {u}@x => 250"),
    ("soft", "an octet beyond the limit of storage",
     "mk user/{u} / quota user/{u} STORAGE 1 / put user/{u} 1 1025 count / send {u}@x => 452"),
    ("strict", "without SIZE the message is refused after DATA",
     "mk user/{u} / quota user/{u} STORAGE 1 / put user/{u} 1 1023 count / send {u}@x => 452"),
    ("strict", "at the limit without SIZE",
     "mk user/{u} / quota user/{u} STORAGE 1 / put user/{u} 1 1024 count / send {u}@x => 452"),
    ("strict", "a message that fits",
     "mk user/{u} / quota user/{u} STORAGE 1 / send {u}@x => 250"),
    ("strict", "SIZE up to the limit, one message more than it says",
     "mk user/{u} / quota user/{u} STORAGE 1 / put user/{u} 1 1000 count / send (SIZE=24) {u}@x => 452"),
    ("strict", "SIZE beyond the limit by an octet",
     "mk user/{u} / quota user/{u} STORAGE 1 / put user/{u} 1 1000 count / send (SIZE=25) {u}@x => 452"),
    ("strict", "SIZE of the whole limit",
     "mk user/{u} / quota user/{u} STORAGE 1 / send (SIZE=1024) {u}@x => 250"),
    ("strict", "SIZE of the limit and an octet",
     "mk user/{u} / quota user/{u} STORAGE 1 / send (SIZE=1025) {u}@x => 452"),
    ("soft", "a declared SIZE does not matter",
     "mk user/{u} / quota user/{u} STORAGE 1 / put user/{u} 1 1000 count / send (SIZE=99999999) {u}@x => 250"),
    ("soft", "a message larger than the limit",
     "mk user/{u} / quota user/{u} STORAGE 10 / send (size=100000) {u}@x => 250 / send {u}@x => 452"),
    ("strict", "a message too large for one of two",
     ("mk user/{u} / mk user/{u}b / quota user/{u} STORAGE 10 / send (size=100000) {u}@x, {u}b@x => 452, 250 / "
      "count user/{u}=0 user/{u}b=1")),
    ("soft", "recipients with different rooms",
     ("mk user/{u}a / mk user/{u}b / mk user/{u}c / quota user/{u}a MESSAGE 0 / quota user/{u}b MESSAGE 5 / "
      "put user/{u}a 1 10 count / send {u}a@x, {u}b@x, {u}c@x, nobody@x => 452, 250, 250, 550 5.1.1 / "
      "count user/{u}a=1 user/{u}b=1")),
    ("soft", "two copies for one root with room for one",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u} MESSAGE 0 / send {u}@x, {u}+F@x => 250, 452 / "
      "count user/{u}=1 user/{u}/F=0")),
    ("soft", "one copy of what is sent to the user and to a folder that is missing",
     ("mk user/{u} / quota user/{u} MESSAGE 5 / send {u}@x, {u}+missing@x => 250, 250 / count user/{u}=1 / "
      "used user/{u} MESSAGE 1")),
    ("soft", "IGNOREQUOTA for one of two",
     ("mk user/{u}a / mk user/{u}b / quota user/{u}a MESSAGE 0 / quota user/{u}b MESSAGE 0 / "
      "put user/{u}a 1 10 count / put user/{u}b 1 10 count / send <{u}a@x> IGNOREQUOTA, <{u}b@x> => 250, 452 / "
      "count user/{u}a=2 user/{u}b=1 / used user/{u}a MESSAGE 2")),
    ("soft", "IGNOREQUOTA holds for its transaction",
     ("mk user/{u} / quota user/{u} MESSAGE 0 / put user/{u} 1 10 count / send <{u}@x> IGNOREQUOTA => 250 / "
      "send {u}@x => 452")),
    ("soft", "IGNOREQUOTA into a folder with a full root",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u}/F MESSAGE 0 / put user/{u}/F 1 10 count / "
      "send <{u}+F@x> ignorequota => 250 / count user/{u}/F=2 user/{u}=0")),
    ("soft", "IGNOREQUOTA and a script that files into a full root",
     ('mk user/{u} / mk user/{u}/F / script {u} require "fileinto"; fileinto "F"; / quota user/{u}/F MESSAGE 0 / '
      "put user/{u}/F 1 10 count / send <{u}@x> IGNOREQUOTA => 250 / count user/{u}/F=2 user/{u}=0")),
    ("perm", "for good, a user",
     "mk user/{u} / quota user/{u} MESSAGE 0 / put user/{u} 1 10 count / send {u}@x => 552 5.2.2"),
    ("perm", "for good, a board",
     "mk {u} anyone lrsp / quota {u} MESSAGE 0 / put {u} 1 10 count / send +{u}@x => 552 5.2.2"),
    ("perm", "for good, after DATA",
     "mk user/{u} / quota user/{u} MESSAGE 0 / between {u}@x | put user/{u} 1 10 & cli quota fix -q => 552 5.2.2"),
    ("soft", "a duplicate beyond the limit is refused and not suppressed",
     ("mk user/{u} / quota user/{u} MESSAGE 0 / send (id=a) {u}@x => 250 / send (id=a) {u}@x => 452 / "
      "count user/{u}=1")),
    ("soft", "a suppressed duplicate is not counted",
     ("mk user/{u} / quota user/{u} MESSAGE 5 / send (id=a) {u}@x => 250 / send (id=a) {u}@x => 250 / "
      "count user/{u}=1 / used user/{u} MESSAGE 1 / known user/{u} MESSAGE 1")),
    ("strict", "a duplicate at the limit",
     "mk user/{u} / quota user/{u} MESSAGE 1 / send (id=a) {u}@x => 250 / send (id=a) {u}@x => 452"),
    ("soft", "a duplicate that ignores the quota is suppressed",
     ("mk user/{u} / quota user/{u} MESSAGE 0 / send (id=a) {u}@x => 250 / send (id=a) <{u}@x> IGNOREQUOTA => 250 / "
      "count user/{u}=1")),
    ("soft", "a full root of the folder leads to the INBOX",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u}/F MESSAGE 0 / put user/{u}/F 1 10 count / "
      "send {u}+F@x => 250 / count user/{u}=1 user/{u}/F=1 / why over quota")),
    ("soft", "the same without the keyword of a failed script",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u}/F STORAGE 0 / put user/{u}/F 1 10 count / "
      "send {u}+F@x => 250 / count user/{u}=1 user/{u}/F=1 / failed user/{u} no")),
    ("soft", "a full INBOX refuses though the folder has room",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u} MESSAGE 0 / quota user/{u}/F MESSAGE 100 / "
      "put user/{u} 1 10 count / send {u}+F@x => 452 / count user/{u}/F=0")),
    ("soft", "both are full",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u} MESSAGE 0 / quota user/{u}/F MESSAGE 0 / "
      "put user/{u} 1 10 / put user/{u}/F 1 10 count / send {u}+F@x => 452")),
    ("soft", "the folder is full and the INBOX becomes so before DATA",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u} MESSAGE 0 / quota user/{u}/F MESSAGE 0 / "
      "put user/{u}/F 1 10 count / between {u}+F@x | put user/{u} 1 10 & cli quota fix -q => 452")),
    ("soft", "the INBOX becomes full before DATA and the folder has room",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u} MESSAGE 0 / quota user/{u}/F MESSAGE 10 / "
      "between {u}+F@x | put user/{u} 1 10 & cli quota fix -q => 250 / count user/{u}/F=1 user/{u}=1")),
    ("soft", "a full board",
     "mk {u} anyone lrsp / quota {u} MESSAGE 1 / put {u} 2 10 count / send +{u}@x => 452"),
    ("soft", "a board becomes full before DATA",
     ("mk {u} anyone lrsp / quota {u} MESSAGE 1 / between +{u}@x | put {u} 2 10 & cli quota fix -q => 452 / "
      "count {u}=2")),
    ("soft", "a nested root of a board takes its folders out",
     ("mk {u} anyone lrsp / mk {u}/sub anyone lrsp / mk {u}/sub/deep anyone lrsp / quota {u} MESSAGE 0 / "
      "put {u} 1 10 count / send +{u}@x, +{u}/sub@x => 452, 452 / quota {u}/sub MESSAGE 5 / "
      "send +{u}@x, +{u}/sub@x, +{u}/sub/deep@x => 452, 250, 250 / used {u} MESSAGE 1 / used {u}/sub MESSAGE 2")),
    ("soft", "limits that change before DATA",
     ("mk user/{u} / put user/{u} 3 10 / between {u}@x | quota user/{u} MESSAGE 2 => 452 / quota user/{u} / "
      "send {u}@x => 250 / quota user/{u} MESSAGE 3 / send {u}@x => 452 / quota user/{u} MESSAGE 4 / "
      "send {u}@x => 250")),
    ("virt", "the root of a domain is the last resort",
     ("mk user/a@{u}.example / mk user/a/F@{u}.example anyone p / mk user/b@{u}.example / "
      "mk brd@{u}.example anyone lrsp / quota @{u}.example MESSAGE 1 / quota user/b@{u}.example MESSAGE 1 / "
      "send a@{u}.example => 250 / send a+F@{u}.example => 250 / "
      "send a@{u}.example, b@{u}.example, bb+brd@{u}.example => 452, 250, 452 / used @{u}.example MESSAGE 2")),
    ("virt", "from a full folder into an INBOX that the domain limits",
     ("mk user/a@{u}.example / mk user/a/F@{u}.example anyone p / quota @{u}.example MESSAGE 5 / "
      "quota user/a/F@{u}.example MESSAGE 0 / put user/a/F@{u}.example 1 10 count / send a+F@{u}.example => 250 / "
      "count user/a@{u}.example=1 / used @{u}.example MESSAGE 1")),
    ("virt", "the root of a domain as Cyrus writes it inside",
     ("mk user/a@{u}.example / cli quota set '{u}.example!' MESSAGE 0 / send a@{u}.example => 250 / "
      "send a@{u}.example => 452 / cli quota list '@{u}.example' | @{u}.example / "
      "cli quota root user/a@{u}.example | @{u}.example")),
    ("virt", "the limits of a domain are lifted",
     ("mk user/a@{u}.example / quota @{u}.example STORAGE 0 / send a@{u}.example => 250 / "
      "send a@{u}.example => 452 / quota @{u}.example / send a@{u}.example => 250")),
    ("virt", "a user's root without limits hides that of the domain",
     ("mk user/a@{u}.example / quota user/a@{u}.example MESSAGE 5 / quota user/a@{u}.example / "
      "quota @{u}.example MESSAGE 0 / put user/a@{u}.example 3 10 count / send a@{u}.example => 250")),
    ("soft", "a script makes no folder beyond the limit on folders",
     ('mk user/{u} / script {u} require ["fileinto","mailbox"]; fileinto :create "B"; / quota user/{u} MAILBOX 1 / '
      "send {u}@x => 250 / count user/{u}=1 / exists user/{u}/B=0 / failed user/{u} yes / "
      "quota user/{u} MAILBOX 2 / send {u}@x => 250 / exists user/{u}/B=1 / count user/{u}=1 user/{u}/B=1")),
    ("soft", "a limit on folders refuses no mail",
     "mk user/{u} / mk user/{u}/A anyone p / quota user/{u} MAILBOX 0 / send {u}@x, {u}+A@x => 250, 250"),
    ("soft", "IGNOREQUOTA makes no folder beyond the limit",
     ('mk user/{u} / script {u} require ["fileinto","mailbox"]; fileinto :create "B"; / quota user/{u} MAILBOX 1 / '
      "send <{u}@x> IGNOREQUOTA => 250 / count user/{u}=1 / exists user/{u}/B=0")),
    ("soft", "annotations beyond their limit",
     ("mk user/{u} / quota user/{u} X-ANNOTATION-STORAGE 1 / cli mailbox metadata user/{u} /shared/comment short / "
      "send {u}@x => 250 / quota user/{u} ANNOTATION-STORAGE 0 / send {u}@x => 452")),
    ("soft", "a folder takes its messages to another user's root",
     ("mk user/{u} / mk user/{u}b / mk user/{u}/F anyone p / quota user/{u} MESSAGE 3 / quota user/{u}b MESSAGE 3 / "
      "put user/{u}/F 4 10 count / send {u}@x, {u}b@x => 452, 250 / cli mailbox rename user/{u}/F user/{u}b/F / "
      "send {u}@x, {u}b@x => 250, 452")),
    ("soft", "a root moves with its folder",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u}/F MESSAGE 0 / put user/{u}/F 1 10 count / "
      "cli mailbox rename user/{u}/F user/{u}/G / send {u}+G@x => 250 / count user/{u}/G=1 user/{u}=1 / "
      "cli quota list user/{u}/F => 67 / cli quota root user/{u}/G | user/{u}/G")),
    ("soft", "a deleted folder is not counted until it is back",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u} MESSAGE 3 / put user/{u}/F 4 10 count / "
      "send {u}@x => 452 / cli mailbox delete --yes user/{u}/F / known user/{u} MESSAGE 0 / send {u}@x => 250 / "
      "cli mailbox undelete user/{u}/F / known user/{u} MESSAGE 5 / send {u}@x => 452")),
    ("soft", "a deleted user comes back with his limit",
     ("mk user/{u} / quota user/{u} MESSAGE 1 / put user/{u} 2 10 count / cli mailbox delete --yes user/{u} / "
      "send {u}@x => 550 / cli quota list user/{u} => 67 / mk user/{u} / send {u}@x => 250 / "
      "cli mailbox delete --yes user/{u} / cli mailbox deleted | (?s)user/{u}.*user/{u} / "
      "cli mailbox undelete user/{u} / count user/{u}=1 / cli mailbox rename user/{u} user/{u}z / "
      "cli mailbox undelete user/{u} / count user/{u}=2 / send {u}@x => 452")),
    ("soft", "a limit where there is no mailbox yet",
     ("mk user/{u} / cli quota set user/{u}/A MESSAGE 0 => 67 / cli quota set +user/{u}/A MESSAGE 0 / "
      "mk user/{u}/A / mk user/{u}/A/B anyone p / put user/{u}/A/B 1 10 count / send {u}+A/B@x => 250 / "
      "count user/{u}/A/B=1 user/{u}=1")),
    ("soft", "a root on another partition",
     ("mk user/{u} / cli mailbox create user/{u}/F --partition two / acl user/{u}/F anyone p / "
      "quota user/{u} MESSAGE 1 / put user/{u}/F 2 10 count / send {u}@x => 452 / quota user/{u}/F MESSAGE 1 / "
      "send {u}@x => 250 / send {u}+F@x => 250 / count user/{u}=2 user/{u}/F=2")),
    ("soft", "a board on another partition",
     ("cli mailbox create {u} --partition two / acl {u} anyone lrsp / mk {u}/sub anyone lrsp / "
      "quota {u} MESSAGE 1 / put {u}/sub 2 10 count / send +{u}@x, +{u}/sub@x => 452, 452")),
    ("soft", "a root covers components, not letters",
     "mk user/{u} / mk user/{u}b / quota user/{u} MESSAGE 0 / put user/{u} 1 10 count / send {u}b@x => 250"),
    ("soft", "a script files into a full root",
     ('mk user/{u} / mk user/{u}/F / script {u} require "fileinto"; fileinto "F"; / quota user/{u}/F MESSAGE 0 / '
      "put user/{u}/F 1 10 count / send {u}@x => 250 / count user/{u}=1 user/{u}/F=1 / failed user/{u} yes")),
    ("soft", "a script files a copy into a full root",
     ('mk user/{u} / mk user/{u}/F / script {u} require ["fileinto","copy"]; fileinto :copy "F"; / '
      "quota user/{u}/F MESSAGE 0 / put user/{u}/F 1 10 count / send {u}@x => 250 / count user/{u}=1 user/{u}/F=1 / "
      "failed user/{u} yes")),
    ("soft", "a full INBOX refuses whatever the script would do",
     ('mk user/{u} / mk user/{u}/F / script {u} require "fileinto"; fileinto "F"; / quota user/{u} MESSAGE 0 / '
      "quota user/{u}/F MESSAGE 9 / put user/{u} 1 10 count / send {u}@x => 452")),
    ("soft", "a full INBOX refuses what the script would discard",
     "mk user/{u} / script {u} discard; / quota user/{u} MESSAGE 0 / put user/{u} 1 10 count / send {u}@x => 452"),
    ("soft", "what was filed stays when the next folder is full",
     ('mk user/{u} / mk user/{u}/A / mk user/{u}/B / script {u} require "fileinto"; fileinto "A"; fileinto "B"; / '
      "quota user/{u}/B MESSAGE 0 / put user/{u}/B 1 10 count / send {u}@x => 250 / "
      "count user/{u}/A=1 user/{u}/B=1 user/{u}=1 / failed user/{u} yes")),
    ("soft", "a client that keeps no quota fills the INBOX",
     "mk user/{u} / quota user/{u} MESSAGE 2 / put user/{u} 9 10 / send {u}@x => 452 / known user/{u} MESSAGE 9"),
    ("soft", "a client that keeps no quota fills a folder",
     ("mk user/{u} / mk user/{u}/F / quota user/{u} MESSAGE 2 / put user/{u}/F 9 10 / send {u}@x => 452 / "
      "known user/{u} MESSAGE 9")),
    ("soft", "a client fills the INBOX before DATA",
     "mk user/{u} / quota user/{u} MESSAGE 2 / between {u}@x | put user/{u} 9 10 => 452"),
    ("soft", "a client that keeps no quota makes room",
     ("mk user/{u} / quota user/{u} MESSAGE 2 / put user/{u} 9 10 count / send {u}@x => 452 / rm user/{u} 8 / "
      "send {u}@x => 250 / known user/{u} MESSAGE 2")),
    ("soft", "the options of deliver",
     ("mk user/{u} / mk user/{u}/F fred p / quota user/{u} MESSAGE 0 / cli deliver {u} / cli deliver {u} => 75 / "
      "cli deliver -q {u} / cli deliver -q -m F {u} / cli deliver -q -a fred -m F {u} / "
      "count user/{u}/F=1 user/{u}=3 / cli deliver nobody98 => 67 / cli deliver => 64")),
    ("soft", "deliver to a board",
     ("mk {u} anyone lrs / cli deliver -m {u} => 65 / acl {u} fred lrsp / cli deliver -a fred -m {u} / "
      "quota {u} MESSAGE 0 / cli deliver -a fred -m {u} => 75 / cli deliver -q -a fred -m {u}")),
    ("perm", "only who does not exist has his mail caught",
     ("mk user/carol / mk user/{u} / quota user/{u} MESSAGE 0 / put user/{u} 1 10 count / send {u}@x => 552 / "
      "mk {u} anyone lrs / send +{u}@x => 550 5.7.1 / acl {u} anyone none / send +{u}@x => 250 / "
      "send nope{u}@x => 250 / quota user/carol MESSAGE 0 / send nope{u}@x => 552")),
    ("soft", "each copy of a script is counted",
     ('mk user/{u} / mk user/{u}/A / script {u} require ["fileinto","copy"]; fileinto :copy "A"; / '
      "quota user/{u} MESSAGE 5 / send {u}@x => 250 / used user/{u} MESSAGE 2 / known user/{u} MESSAGE 2 / "
      "count user/{u}=1 user/{u}/A=1")),
    ("soft", "a second copy finds no room",
     ('mk user/{u} / mk user/{u}/A / mk user/{u}/B / script {u} require ["fileinto"]; fileinto "A"; fileinto "B"; / '
      "quota user/{u} MESSAGE 0 / send (id=a) {u}@x => 452 / count user/{u}/A=1 user/{u}/B=0 user/{u}=0 / "
      "quota user/{u} MESSAGE 9 / send (id=a) {u}@x => 250 / count user/{u}/A=1 user/{u}/B=1 user/{u}=0")),
    ("strict", "a second copy finds no room",
     ('mk user/{u} / mk user/{u}/A / mk user/{u}/B / script {u} require ["fileinto"]; fileinto "A"; fileinto "B"; / '
      "quota user/{u} MESSAGE 1 / send (id=a) {u}@x => 452 / count user/{u}/A=1 user/{u}/B=0 user/{u}=0 / "
      "quota user/{u} MESSAGE 9 / send (id=a) {u}@x => 250 / count user/{u}/A=1 user/{u}/B=1 user/{u}=0")),
    ("strict", "a message too large for the folder",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u}/F STORAGE 1 / send (size=4000) {u}+F@x => 250 / "
      "count user/{u}=1 user/{u}/F=0")),
    ("strict", "SIZE is asked of the INBOX",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u} STORAGE 1 / quota user/{u}/F STORAGE 100 / "
      "send (SIZE=5000) {u}+F@x => 452 / send (size=4000) {u}+F@x => 250 / count user/{u}/F=1")),
    ("strict", "SIZE does not matter when the quota is ignored",
     ("mk user/{u} / quota user/{u} STORAGE 0 / send (SIZE=5000) <{u}@x> IGNOREQUOTA => 250 / "
      "send (SIZE=0) <{u}@x> => 452")),
    ("strict", "SIZE and boards",
     "mk {u} anyone lrsp / quota {u} STORAGE 1 / send (SIZE=1025) +{u}@x => 452 / send (SIZE=1024) +{u}@x => 250"),
    ("soft", "the limit on folders of a nested root",
     ("mk user/{u} / mk user/{u}/A / "
      'script {u} require ["fileinto","mailbox"]; fileinto :create "A/X"; fileinto :create "A/Y"; / '
      "quota user/{u}/A MAILBOX 2 / send {u}@x => 250 / exists user/{u}/A/X=1 user/{u}/A/Y=0 / "
      "failed user/{u} yes")),
    ("soft", "two folders with room for one",
     ('mk user/{u} / script {u} require ["fileinto","mailbox"]; fileinto :create "X"; fileinto :create "Y"; / '
      "quota user/{u} MAILBOX 2 / send {u}@x => 250 / exists user/{u}/X=1 user/{u}/Y=0 / "
      "count user/{u}=1 user/{u}/X=1 / failed user/{u} yes")),
    ("soft", "a new folder below a full root",
     ('mk user/{u} / mk user/{u}/A / script {u} require ["fileinto","mailbox"]; fileinto :create "A/X"; / '
      "quota user/{u}/A MESSAGE 0 / put user/{u}/A 1 10 count / send {u}@x => 250 / count user/{u}=1 / "
      "failed user/{u} yes")),
    ("soft", "a folder and its user move to other partitions",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u} MESSAGE 2 / put user/{u}/F 3 10 count / "
      "send {u}@x => 452 / cli mailbox rename user/{u}/F user/{u}/F --partition two / known user/{u} MESSAGE 3 / "
      "send {u}@x => 452 / cli mailbox rename user/{u} user/{u} --partition two / known user/{u} MESSAGE 3 / "
      "send {u}@x => 452 / cli quota list user/{u} | 2 +150 +3 +MESSAGE")),
    ("soft", "a client fills a folder on another partition",
     ("mk user/{u} / cli mailbox create user/{u}/F --partition two / quota user/{u} MESSAGE 2 / "
      "put user/{u}/F 3 10 / send {u}@x => 452")),
    ("soft", "a board moves below another's root",
     ("mk {u}p anyone lrsp / mk {u}q anyone lrsp / quota {u}p MESSAGE 1 / put {u}q 2 10 / "
      "cli mailbox rename {u}q {u}p/q / send +{u}p@x, +{u}p/q@x => 452, 452 / cli mailbox rename {u}p/q {u}z / "
      "send +{u}p@x, +{u}z@x => 250, 250")),
    ("soft", "a folder with a root moves below another root",
     ("mk user/{u} / mk user/{u}/A / mk user/{u}/B anyone p / quota user/{u}/A MESSAGE 100 / "
      "quota user/{u}/B MESSAGE 0 / put user/{u}/B 1 10 count / cli mailbox rename user/{u}/B user/{u}/A/B / "
      "send {u}+A/B@x => 250 / count user/{u}=1 / known user/{u}/A MESSAGE 0 / known user/{u}/A/B MESSAGE 1")),
    ("virt", "posters of a domain",
     ("mk user/a@{u}.example / mk user/a/F@{u}.example fred@{u}.example p / "
      "send (AUTH=fred@{u}.example) a+F@{u}.example => 250 / send (AUTH=fred) a+F@{u}.example => 250 / "
      "count user/a/F@{u}.example=1 user/a@{u}.example=1")),
    ("virt", "a user of a domain goes and comes back",
     ("mk user/a@{u}.example / mk user/b@{u}.example / quota @{u}.example MESSAGE 1 / send a@{u}.example => 250 / "
      "send a@{u}.example => 250 / send b@{u}.example => 452 / cli mailbox delete --yes user/a@{u}.example / "
      "send b@{u}.example => 250 / cli mailbox undelete user/a@{u}.example / send b@{u}.example => 452 / "
      "used @{u}.example MESSAGE 3")),
    ("soft", "the file is right to the octet",
     ("mk user/{u} / quota user/{u} MESSAGE 100 STORAGE 1000 / send {u}@x => 250 / send (size=3000) {u}@x => 250 / "
      "exact user/{u}")),
    ("soft", "a limit that an IMAP server has changed",
     ("mk user/{u} / quota user/{u} MESSAGE 1 / put user/{u} 3 10 count / send {u}@x => 452 / "
      "limits user/{u} 9C 30 3 / send {u}@x => 250 / cli quota list user/{u} | 9 +44 +4 +MESSAGE")),
    ("soft", "limits that wait for a user",
     ("cli quota set +user/{u} MESSAGE 0 / cli quota list user/{u} / send {u}@x => 550 / mk user/{u} / "
      "send {u}@x => 250 / send {u}@x => 452")),
    ("soft", "a full INBOX refuses what the script would refuse",
     ('mk user/{u} / script {u} require "reject"; reject "no"; / quota user/{u} MESSAGE 0 / '
      "put user/{u} 1 10 count / send {u}@x => 452 / send <{u}@x> IGNOREQUOTA => 550 5.7.1")),
    ("soft", "every second one of six is full",
     ("mk user/{u}n0 / mk user/{u}n1 / quota user/{u}n1 MESSAGE 0 / put user/{u}n1 1 10 / mk user/{u}n2 / "
      "mk user/{u}n3 / quota user/{u}n3 MESSAGE 0 / put user/{u}n3 1 10 / mk user/{u}n4 / mk user/{u}n5 / "
      "quota user/{u}n5 MESSAGE 0 / put user/{u}n5 1 10 / cli quota fix -q / "
      "send {u}n0@x, {u}n1@x, {u}n2@x, {u}n3@x, {u}n4@x, {u}n5@x => 250, 452, 250, 452, 250, 452")),
]  # fmt: skip
