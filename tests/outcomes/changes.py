"""Cases of rights, deletions and returns: who may post, and what comes back (semantics, sections 4 to 6).

As in `limits`.
"""

CASES = [
    ("soft", "a poster without the right, where there is a script",
     ("mk user/{u} / mk user/{u}/F / script {u} keep; / send {u}+F@x => 250 / count user/{u}=1 / "
      "failed user/{u} yes")),
    ("soft", "a poster without the right, where there is none",
     "mk user/{u} / mk user/{u}/F / send {u}+F@x => 250 / failed user/{u} no"),
    ("soft", "duplicates are known after a deletion is undone, and not in a new folder of the name",
     ("mk user/{u} / mk user/{u}/F anyone p / send (id=a) {u}+F@x => 250 / cli mailbox delete --yes user/{u}/F / "
      "cli mailbox undelete user/{u}/F / send (id=a) {u}+F@x => 250 / count user/{u}/F=1 / "
      "cli mailbox delete --yes user/{u}/F / mk user/{u}/F anyone p / send (id=a) {u}+F@x => 250 / "
      "count user/{u}/F=1")),
    ("soft", "duplicates are known after a rename",
     ("mk user/{u} / mk user/{u}/F anyone p / send (id=a) {u}+F@x => 250 / "
      "cli mailbox rename user/{u}/F user/{u}/G / send (id=a) {u}+G@x => 250 / count user/{u}/G=1 user/{u}=0")),
    ("soft", "what is there is not overwritten by what was deleted",
     ("mk user/{u} / mk user/{u}/F anyone p / cli mailbox delete --yes user/{u}/F / mk user/{u}/F / "
      "cli mailbox undelete user/{u}/F => 73 / cli mailbox undelete user/{u}/F --to user/{u}/G / "
      "send {u}+G@x => 250 / count user/{u}/G=1")),
    ("soft", "scripts go with their user",
     ('mk user/{u} / mk user/{u}/F / script {u} require "fileinto"; fileinto "F"; / '
      "cli mailbox delete --yes user/{u} / mk user/{u} / mk user/{u}/F / send {u}@x => 250 / "
      "count user/{u}=1 user/{u}/F=0 / cli script list {u} / cli mailbox delete --yes user/{u}")),
    ("soft", "an ACL comes back with its folder",
     ("mk user/{u} / mk user/{u}/F fred p anyone l / cli mailbox delete --yes user/{u}/F / "
      "cli mailbox undelete user/{u}/F / cli acl list user/{u}/F | fred p / send (AUTH=fred) {u}+F@x => 250 / "
      "count user/{u}/F=1")),
    ("soft", "a folder that was deleted",
     ("mk user/{u} / mk user/{u}/F anyone p / cli mailbox delete --yes user/{u}/F / send {u}+F@x => 250 / "
      "count user/{u}=1")),
    ("soft", "a folder is deleted before DATA",
     ("mk user/{u} / mk user/{u}/F anyone p / between {u}+F@x | cli mailbox delete --yes user/{u}/F => 250 / "
      "count user/{u}=1")),
    ("soft", "a user is deleted before DATA",
     "mk user/{u} / between {u}@x | cli mailbox delete --yes user/{u} => 550 5.1.1"),
    ("soft", "a board is closed, hidden, deleted before DATA",
     ("mk {u} anyone lrsp / between +{u}@x | acl {u} anyone lrs => 550 5.7.1 / acl {u} anyone lrsp / "
      "between +{u}@x | acl {u} anyone none => 550 5.1.1 / acl {u} anyone lrsp / "
      "between +{u}@x | cli mailbox delete --yes {u} => 550 5.1.1")),
    ("soft", "a right is taken away before DATA",
     ("mk user/{u} / mk user/{u}/F anyone p / between {u}+F@x | acl user/{u}/F anyone none => 250 / "
      "count user/{u}=1 user/{u}/F=0")),
    ("soft", "a new folder has the list of those above it",
     ("mk user/{u} fred p / mk user/{u}/A/B/C / cli acl list user/{u}/A/B/C | fred p / "
      "send (AUTH=fred) {u}+A/B/C@x => 250 / count user/{u}/A/B/C=1 / acl user/{u}/A/B/C fred none / "
      "send (AUTH=fred) {u}+A/B/C@x => 250 / count user/{u}/A/B/C=1 user/{u}=1")),
    ("soft", "a new folder has the list of the nearest one",
     ("mk user/{u} fred p / mk user/{u}/A / acl user/{u}/A fred none / mk user/{u}/A/B / "
      "send (AUTH=fred) {u}+A/B@x => 250 / count user/{u}/A/B=0 user/{u}=1")),
    ("soft", "a folder made by a script has the list of the one above",
     ("mk user/{u} / mk user/{u}/A anyone p / "
      'script {u} require ["fileinto","mailbox"]; fileinto :create "A/New"; / send {u}@x => 250 / '
      "count user/{u}/A/New=1 / cli acl list user/{u}/A/New | anyone p")),
    ("soft", "owners lose and regain the right",
     ('mk user/{u} / mk user/{u}/F / script {u} require "fileinto"; fileinto "F"; / acl user/{u}/F {u} lrswi / '
      "send {u}@x => 250 / failed user/{u} yes / count user/{u}/F=0 / acl user/{u}/F anyone p / send {u}@x => 250 / "
      "count user/{u}/F=1 / acl user/{u}/F -{u} p / send {u}@x => 250 / count user/{u}/F=1 user/{u}=2")),
    ("soft", "an INBOX accepts whatever its list says",
     ("mk user/{u} {u} none anyone none -anyone lrswip / script {u} keep; / send {u}@x => 250 / count user/{u}=1 / "
      "failed user/{u} no")),
    ("soft", "an owner posts into his folder",
     "mk user/{u} / mk user/{u}/F / send (AUTH={u}) {u}+F@x => 250 / count user/{u}/F=1"),
    ("soft", "keep is by the rights of the poster",
     ("mk user/{u} / mk user/{u}/F fred p / script {u} keep; / send (AUTH=fred) {u}+F@x => 250 / "
      "send {u}+F@x => 250 / count user/{u}/F=1 user/{u}=1 / failed user/{u} yes")),
    ("soft", "a board is hidden from who has no right to see it",
     ("mk {u} anyone none fred l bob lp / send +{u}@x => 550 5.1.1 / send (AUTH=fred) +{u}@x => 550 5.7.1 / "
      "send (AUTH=bob) +{u}@x => 250 / send (AUTH=cyrus) +{u}@x => 550 5.1.1 / "
      "send (AUTH=postboss) +{u}@x => 550 5.7.1")),
    ("soft", "rights come before quota",
     ("mk {u} anyone lrs / quota {u} MESSAGE 0 / put {u} 2 10 count / send +{u}@x => 550 5.7.1 / "
      "send <+{u}@x> IGNOREQUOTA => 550 5.7.1")),
    ("soft", "a board that takes posts and may not be seen",
     "mk {u} anyone p / quota {u} MESSAGE 0 / put {u} 2 10 count / send +{u}@x => 452"),
    ("soft", "a new board has the list of the one above",
     ("mk {u} anyone lrsp / mk {u}/sub / send +{u}/sub@x => 250 / acl {u} anyone lrs / "
      "send +{u}/sub@x, +{u}@x => 250, 550 5.7.1")),
    ("soft", "of several deletions the latest comes back first",
     ("mk user/{u} / mk user/{u}/F anyone p / send {u}+F@x => 250 / cli mailbox delete --yes user/{u}/F / "
      "mk user/{u}/F anyone p / cli mailbox delete --yes user/{u}/F / "
      "cli mailbox deleted user/{u}/F | (?s)user/{u}/F.*user/{u}/F / cli mailbox undelete user/{u}/F / "
      "count user/{u}/F=0 / cli mailbox undelete user/{u}/F --to user/{u}/F2 / count user/{u}/F2=1 / "
      "cli mailbox undelete user/{u}/F => 67")),
    ("soft", "what is brought back may exceed the limit on folders",
     ("mk user/{u} / mk user/{u}/F / cli mailbox delete --yes user/{u}/F / quota user/{u} MAILBOX 1 / "
      "cli mailbox undelete user/{u}/F / exists user/{u}/F=1")),
    ("soft", "scripts come back with their user",
     ('mk user/{u} / mk user/{u}/F / script {u} require "fileinto"; fileinto "F"; / '
      "cli mailbox delete --yes user/{u} / cli mailbox undelete user/{u} / send {u}@x => 250 / count user/{u}/F=1 / "
      "cli script list {u} | main")),
    ("soft", "a nested root comes back",
     ("mk user/{u} / mk user/{u}/F anyone p / quota user/{u}/F MESSAGE 0 / put user/{u}/F 1 10 count / "
      "cli mailbox delete --yes user/{u}/F / cli mailbox undelete user/{u}/F / send {u}+F@x => 250 / "
      "count user/{u}=1 user/{u}/F=1 / used user/{u}/F MESSAGE 1")),
    ("soft", "a board comes back",
     ("mk {u} anyone lrsp / send +{u}@x => 250 / cli mailbox delete --yes {u} / send +{u}@x => 550 5.1.1 / "
      "cli mailbox undelete {u} / send +{u}@x => 250 / count {u}=2")),
    ("soft", "folders that were deleted together",
     ("mk user/{u} / mk user/{u}/A / mk user/{u}/A/B / quota user/{u} MESSAGE 2 / put user/{u}/A/B 4 10 count / "
      "send {u}@x => 452 / cli mailbox delete --yes -r user/{u}/A / send {u}@x => 250 / "
      "cli mailbox undelete user/{u}/A / cli mailbox undelete user/{u}/A/B / send {u}@x => 452")),
    ("soft", "a discarded message is restored once",
     ("mk user/{u} / script {u} discard; / quota user/{u} MESSAGE 9 / send (id=a) {u}@x => 250 / "
      "cli mailbox discarded {u} | {u}.a@x / cli mailbox restore {u} '<{u}.a@x>' | is in user/{u} / "
      "count user/{u}=1 / used user/{u} MESSAGE 1 / known user/{u} MESSAGE 1 / "
      "cli mailbox restore {u} '<{u}.a@x>' => 67 / cli mailbox discarded {u} | ^$")),
    ("soft", "a message discarded twice",
     ("mk user/{u} / script {u} discard; / send (id=a) {u}@x => 250 / send (id=a) {u}@x => 250 / "
      "cli mailbox discarded {u} | {u}.a@x / cli mailbox restore {u} '<{u}.a@x>'")),
    ("soft", "what is restored may exceed the limit",
     ("mk user/{u} / script {u} discard; / quota user/{u} MESSAGE 0 / send (id=a) {u}@x => 250 / "
      "put user/{u} 1 10 count / cli mailbox restore {u} '<{u}.a@x>' / count user/{u}=2")),
    ("soft", "what a script filed is not withdrawn",
     ('mk user/{u} / mk user/{u}/F / script {u} require "fileinto"; fileinto "F"; discard; / send {u}@x => 250 / '
      "count user/{u}/F=1 / cli mailbox discarded {u} | ^$")),
]  # fmt: skip
