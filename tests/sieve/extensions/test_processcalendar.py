import time
from dataclasses import dataclass, field

import pytest

from sievemda.sieve import Limits, compile_script, run
from sievemda.sieve.extensions.processcalendar import EXTENSIONS
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.report import to_json
from tests.sieve.trying import NOW, envelope, problems

ME, BOSS = "roadrunner@acme.example.com", "boss@acme.example.com"
FULL = 'require ["processcalendar", "variables", "extlists"];\n'


@dataclass(frozen=True)
class Calendar(Imagined):
    """Facts with a calendar: object by UID."""

    objects: dict[str, bytes] = field(default_factory=dict)
    calendars: frozenset[str] = frozenset({"", "work"})

    def calendar(self, uid):
        return self.objects.get(uid)

    def has_calendar(self, identifier):
        return identifier in self.calendars


def event(*lines, uid="1@acme", sequence=0, stamp="20260101T000000Z", start="20260301T100000Z", name="VEVENT"):
    given = [f"BEGIN:{name}"]
    given += [f"UID:{uid}"] if uid else []
    given += [f"DTSTAMP:{stamp}", f"SEQUENCE:{sequence}"]
    given += [f"DTSTART:{start}"] if start else []
    return [*given, *lines, f"END:{name}"]


def ics(method, *components, before=()):
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//a//b"] + ([f"METHOD:{method}"] if method else [])
    return "\r\n".join([*head, *before, *(line for one in components for line in one), "END:VCALENDAR", ""])


ORGANIZER = f"ORGANIZER:mailto:{BOSS}"
INVITED = (ORGANIZER, f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{ME}", "SUMMARY:Meeting")
REQUEST = ics("REQUEST", event(*INVITED))


def mail(*texts, kind='text/calendar; charset="utf-8"'):
    head = b"From: boss@acme.example.com\nTo: roadrunner@acme.example.com\nMIME-Version: 1.0\n"
    parts = [f"Content-Type: {kind}\n\n{text}".replace("\r\n", "\n").encode() for text in texts]
    if len(parts) == 1:
        return head + parts[0]
    body = b"".join(b"--x\n" + part + b"\n" for part in parts)
    return head + b"Content-Type: multipart/alternative; boundary=x\n\n" + body + b"--x--\n"


def outcome(action, message, *, objects=None, lists=None, limits=None, calendars=frozenset({"", "work"})):
    limits = limits or Limits()
    facts = Calendar(NOW, objects=objects or {}, lists=lists or {}, calendars=calendars)
    text = action if action.startswith("require") else FULL + action
    return run(compile_script(text, limits), message_of(message), envelope(), facts, limits)


def done(action, message, **options):
    """Outcome, reason and the objects as text."""
    found = outcome(action, message, **options)
    assert found.failure is None, found.failure
    effect = found.effects[0]
    return effect.outcome, effect.reason, {uid: data.decode() for uid, data in effect.objects}


def result(action, text, **options):
    return done(action, mail(text), **options)[:2]


def on_calendar(*components, **options):
    """An object as it lies on the calendar."""
    return {"1@acme": ics("", *components, **options).encode()}


# -- which messages, §4 --------------------------------------------------------------------------------------------


def test_an_invitation_is_added():
    what, reason, objects = done("processcalendar;", mail(REQUEST))
    assert (what, reason) == ("added", "")
    assert "SUMMARY:Meeting" in objects["1@acme"]
    assert "METHOD" not in objects["1@acme"]


def test_the_implicit_keep_stays_due():
    found = outcome("processcalendar;", mail(REQUEST))
    assert found.implicit_keep
    assert [to_json(effect)["action"] for effect in found.effects] == ["processcalendar", "keep"]


def test_a_message_without_calendar_data_changes_nothing():
    assert result("processcalendar;", "hello")[0] == "no_action"
    assert done("processcalendar;", mail("hello", kind="text/plain"))[1] == "no calendar data in the message"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BEGIN:VCALENDAR\r\n",
        "BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n",
        REQUEST + REQUEST,
        REQUEST.replace("DTSTART:20260301T100000Z", "DTSTART:tomorrow"),
        REQUEST.replace("END:VEVENT", "END:VTODO"),
        REQUEST.replace("SUMMARY:Meeting", "SUMMARY"),
        REQUEST.replace("Meeting", "a\x00b"),
        REQUEST.replace("SEQUENCE:0", "SEQUENCE:many"),
        "BEGIN:VCALENDAR\r\n" + "BEGIN:X\r\n" * 5000 + "END:X\r\n" * 5000 + "END:VCALENDAR\r\n",
        ics("REQUEST", event(*INVITED), before=("BEGIN:VTIMEZONE", "END:VTIMEZONE")),
    ],
)
def test_malformed_data_are_ignored(text):
    assert result("processcalendar :allowpublic;", text)[0] == "no_action"


def test_a_missing_identifier_is_an_error():
    assert result("processcalendar;", ics("REQUEST", event(*INVITED, uid=""))) == ("error", "missing unique identifier")


def test_equal_representations_are_processed_once():
    other = REQUEST.replace("SUMMARY:Meeting\r\n", "").replace("SEQUENCE:0", "SUMMARY:Mee\r\n ting\r\nSEQUENCE:0")
    assert done("processcalendar;", mail(REQUEST, other))[0] == "added"


def test_representations_that_differ_are_not_processed():
    what, reason, _ = done("processcalendar;", mail(REQUEST, REQUEST.replace("Meeting", "Party")))
    assert what == "no_action"
    assert "differ" in reason


def test_values_that_can_be_read_and_not_compared_are_malformed():
    one, other = (ics("REQUEST", event(*INVITED, start="20260301/100000Z", sequence=number)) for number in (0, 1))
    what, reason, _ = done("processcalendar;", mail(one, other))
    assert (what, reason) == ("no_action", "malformed calendar data: it cannot be understood")


def test_the_method_of_the_part_must_be_that_of_the_data():
    assert done("processcalendar;", mail(REQUEST, kind="text/calendar; method=CANCEL"))[0] == "no_action"
    assert done("processcalendar;", mail(REQUEST, kind="text/calendar; method=request"))[0] == "added"


def test_data_in_an_attached_message_were_sent_to_somebody_else():
    assert done("processcalendar;", mail(mail(REQUEST).decode(), kind="message/rfc822"))[0] == "no_action"


def test_data_beyond_measure_are_not_looked_at():
    assert "limit is 100" in done("processcalendar;", mail(REQUEST), limits=Limits(calendar_size=100))[1]


def test_objects_of_one_message_have_a_limit():
    many = ics("", *(event(uid=f"{n}") for n in range(25)))
    assert "25 objects: the limit is 20" in result("processcalendar :allowpublic;", many)[1]


def test_a_zone_is_kept_as_it_came_and_never_worked_out():
    zone = ("BEGIN:VTIMEZONE", "TZID:Mine", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100",
            "TZOFFSETTO:+0200", "RRULE:FREQ=SECONDLY", "END:STANDARD", "END:VTIMEZONE")  # fmt: skip
    text = ics("REQUEST", event(*INVITED), before=zone).replace(
        "DTSTART:20260301T100000Z", "DTSTART;TZID=Mine:20260301T100000"
    )
    _, _, objects = done("processcalendar;", mail(text))
    assert "\r\n".join(zone) in objects["1@acme"]
    assert "DTSTART;TZID=Mine:20260301T100000" in objects["1@acme"]


def test_alarms_and_attachments_in_the_data_are_dropped():
    lines = ("BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT5M", "END:VALARM")
    image = "IMAGE;VALUE=BINARY;ENCODING=BASE64:aGVsbG8="
    attached = (
        image,
        "ATTACH;ENCODING=BASE64;VALUE=BINARY:aGVsbG8=",
        "ATTACH:https://example.com/agenda",
        "ATTACH:data:,x",
    )
    _, _, objects = done("processcalendar;", mail(ics("REQUEST", event(*INVITED, *attached, *lines))))
    assert "VALARM" not in objects["1@acme"]
    assert "IMAGE" not in objects["1@acme"]
    assert objects["1@acme"].count("ATTACH:") + objects["1@acme"].count("ATTACH;") == 1


# -- for whom, §4.1, §4.2 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attendee", "what"),
    [
        (f"mailto:{ME}", "added"),
        ("MAILTO:RoadRunner@ACME.example.com", "added"),
        ("mailto:roadrunner%40acme.example.com?subject=x", "added"),
        ("mailto:someone@acme.example.com", "no_action"),
        (f"https://x.example/{ME}", "no_action"),
    ],
)
def test_one_of_the_attendees_must_be_the_owner(attendee, what):
    text = ics("REQUEST", event(ORGANIZER, "ATTENDEE:mailto:other@x.example", f"ATTENDEE:{attendee}"))
    assert result("processcalendar;", text)[0] == what


def test_addresses_names_more_that_are_the_owners():
    text = REQUEST.replace(ME, "me@home.example")
    assert result("processcalendar;", text)[0] == "no_action"
    assert result('processcalendar :addresses ["x@y.example", "Me@Home.example"];', text)[0] == "added"


@pytest.mark.parametrize("method", ["PUBLISH", ""])
def test_public_data_are_wanted_only_when_the_script_says_so(method):
    text = ics(method, event(ORGANIZER))
    assert result("processcalendar;", text)[0] == "no_action"
    assert result("processcalendar :allowpublic;", text)[0] == "added"


def test_an_itinerary_may_have_several_objects():
    _, _, objects = done("processcalendar :allowpublic;", mail(ics("", event(uid="a"), event(uid="b"))))
    assert sorted(objects) == ["a", "b"]


def test_data_with_attendees_are_not_public():
    assert result("processcalendar :allowpublic;", ics("", event(*INVITED)))[0] == "no_action"
    assert result("processcalendar :allowpublic;", REQUEST.replace(ME, "x@y.example"))[0] == "no_action"


@pytest.mark.parametrize(
    "text",
    [
        ics("REQUEST", event(f"ATTENDEE:mailto:{ME}")),
        ics("REQUEST", event(ORGANIZER)),
        ics("REQUEST", event(*INVITED, start="")),
        ics("PUBLISH", event(*INVITED)),
        ics("REPLY", event(ORGANIZER, "ATTENDEE:mailto:a@b.example", "ATTENDEE:mailto:c@d.example")),
        ics("NONSENSE", event(*INVITED)),
        ics("REQUEST", event(*INVITED), event(*INVITED, uid="2@acme")),
        ics("COUNTER", event(*INVITED)),
        ics("REQUEST"),
    ],
)
def test_what_is_no_well_formed_itip_message_changes_nothing(text):
    assert result("processcalendar :allowpublic;", text)[0] == "no_action"


# -- updates, §4.3, §4.4 -------------------------------------------------------------------------------------------


def test_updatesonly_adds_nothing():
    assert result("processcalendar :updatesonly;", REQUEST) == ("no_action", "only processing updates")


def test_an_update_takes_the_place_of_what_is_there_and_keeps_what_is_the_owners():
    mine = (ORGANIZER, f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ME}", "SUMMARY:Old",
            "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:mine", "TRIGGER:-PT5M", "END:VALARM")  # fmt: skip
    what, _, objects = done(
        "processcalendar :updatesonly;",
        mail(ics("REQUEST", event(*INVITED, sequence=1))),
        objects=on_calendar(event(*mine)),
    )
    assert what == "updated"
    assert "SUMMARY:Meeting" in objects["1@acme"]
    assert "PARTSTAT=ACCEPTED" in objects["1@acme"]
    assert "DESCRIPTION:mine" in objects["1@acme"]


@pytest.mark.parametrize("older", [{"sequence": 1}, {"sequence": 2, "stamp": "20250101T000000Z"}])
def test_what_is_older_changes_nothing(older):
    there = on_calendar(event(*INVITED, sequence=2))
    assert (
        result("processcalendar;", ics("REQUEST", event(*INVITED, "LOCATION:x", **older)), objects=there)[0]
        == "no_action"
    )


def test_who_has_no_participant_status_gets_none():
    there = on_calendar(event(ORGANIZER, f"ATTENDEE:mailto:{ME}"))
    _, _, objects = done("processcalendar;", mail(ics("REQUEST", event(*INVITED, sequence=1))), objects=there)
    assert "PARTSTAT" not in objects["1@acme"]


def test_the_same_again_is_nothing_new():
    assert result("processcalendar;", REQUEST, objects=on_calendar(event(*INVITED))) == (
        "no_action",
        "nothing in it is new",
    )


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
def test_another_organizer_changes_nothing(method):
    text = ics(method, event(*INVITED, sequence=9)).replace(BOSS, "mallory@x.example")
    assert "organizer" in result("processcalendar;", text, objects=on_calendar(event(*INVITED)))[1]


def test_an_instance_is_put_beside_the_series():
    series = on_calendar(event(*INVITED, "RRULE:FREQ=DAILY"))
    changed = event(*INVITED, "RECURRENCE-ID:20260302T100000Z", start="20260302T120000Z")
    _, _, objects = done("processcalendar;", mail(ics("REQUEST", changed)), objects=series)
    assert objects["1@acme"].count("BEGIN:VEVENT") == 2
    assert "RRULE:FREQ=DAILY" in objects["1@acme"]


@pytest.mark.parametrize(("sequence", "left"), [(0, 2), (1, 1)])
def test_a_later_sequence_of_the_series_drops_changed_instances(sequence, left):
    there = on_calendar(
        event(*INVITED, "RRULE:FREQ=DAILY"), event(*INVITED, "RECURRENCE-ID:20260302T100000Z", start="20260302T120000Z")
    )
    text = ics("REQUEST", event(*INVITED, "RRULE:FREQ=WEEKLY", sequence=sequence, stamp="20260201T000000Z"))
    _, _, objects = done("processcalendar;", mail(text), objects=there)
    assert objects["1@acme"].count("BEGIN:VEVENT") == left


def test_calendarid_is_where_new_objects_go():
    found = outcome('processcalendar :calendarid "work";', mail(REQUEST))
    assert found.effects[0].calendar == "work"


def test_a_calendar_that_there_is_not_is_an_error():
    assert result('processcalendar :calendarid "nosuch";', REQUEST) == ("error", "there is no calendar 'nosuch'")


def test_an_object_that_cannot_be_read_is_an_error():
    assert result("processcalendar;", REQUEST, objects={"1@acme": b"rubbish"})[0] == "error"


def test_add_puts_one_more_instance_there():
    text = ics("ADD", event(*INVITED, sequence=1, start="20260310T100000Z"))
    assert result("processcalendar;", text)[0] == "no_action"
    _, _, objects = done("processcalendar;", mail(text), objects=on_calendar(event(*INVITED, "RRULE:FREQ=MONTHLY")))
    assert "RECURRENCE-ID:20260310T100000Z" in objects["1@acme"]
    assert "RDATE:20260310T100000Z" in objects["1@acme"]


# -- cancellations, §4.5 -------------------------------------------------------------------------------------------

CANCEL = ics("CANCEL", event(*INVITED[:2], sequence=1, start=""))


def test_a_cancelled_object_stays_and_says_so():
    what, _, objects = done("processcalendar;", mail(CANCEL), objects=on_calendar(event(*INVITED)))
    assert what == "updated"
    assert "STATUS:CANCELLED" in objects["1@acme"]
    assert "SUMMARY:Meeting" in objects["1@acme"]
    assert "SEQUENCE:1" in objects["1@acme"]


def test_deletecancelled_removes_it():
    what, _, objects = done("processcalendar :deletecancelled;", mail(CANCEL), objects=on_calendar(event(*INVITED)))
    assert (what, objects) == ("updated", {"1@acme": ""})


def test_what_is_not_there_cannot_be_cancelled():
    assert result("processcalendar;", CANCEL) == ("no_action", "it is not on a calendar")


@pytest.mark.parametrize(("tag", "there"), [("", "STATUS:CANCELLED"), (":deletecancelled", "EXDATE:20260302T100000Z")])
def test_an_instance_is_cancelled_alone(tag, there):
    text = ics("CANCEL", event(*INVITED[:2], "RECURRENCE-ID:20260302T100000Z", sequence=1, start=""))
    series = on_calendar(event(*INVITED, "RRULE:FREQ=DAILY", "DTEND:20260301T110000Z"))
    _, _, objects = done(f"processcalendar {tag};", mail(text), objects=series)
    assert there in objects["1@acme"]
    assert "RRULE:FREQ=DAILY" in objects["1@acme"]
    if not tag:
        assert "DTEND:20260302T110000Z" in objects["1@acme"]


def test_a_range_of_instances_is_left_to_a_person():
    text = ics(
        "CANCEL", event(*INVITED[:2], "RECURRENCE-ID;RANGE=THISANDFUTURE:20260302T100000Z", sequence=1, start="")
    )
    assert result("processcalendar;", text, objects=on_calendar(event(*INVITED, "RRULE:FREQ=DAILY")))[0] == "no_action"


# -- replies -------------------------------------------------------------------------------------------------------

MINE = (f"ORGANIZER:mailto:{ME}", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:wile@acme.example.com")


def reply(*lines, who="wile@acme.example.com", status="ACCEPTED", sequence=0):
    given = (MINE[0], f"ATTENDEE;PARTSTAT={status}:mailto:{who}", *lines)
    return ics("REPLY", event(*given, sequence=sequence, start=""))


def test_a_reply_sets_the_status_of_who_replies():
    what, _, objects = done("processcalendar;", mail(reply()), objects=on_calendar(event(*MINE)))
    assert what == "updated"
    assert "ATTENDEE;PARTSTAT=ACCEPTED:mailto:wile@acme.example.com" in objects["1@acme"]


def test_a_reply_to_one_instance_makes_it_one_of_its_own():
    text = reply("RECURRENCE-ID:20260302T100000Z", status="DECLINED")
    _, _, objects = done("processcalendar;", mail(text), objects=on_calendar(event(*MINE, "RRULE:FREQ=DAILY")))
    assert objects["1@acme"].count("BEGIN:VEVENT") == 2
    assert objects["1@acme"].count("PARTSTAT=DECLINED") == 1
    assert objects["1@acme"].count("RRULE") == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (reply(who="crasher@x.example"), "who replies is no attendee"),
        (reply(status="NEEDS-ACTION"), "nothing in it is new"),
        (reply(who=ME), "your own participant status is not changed"),
    ],
)
def test_replies_that_change_nothing(text, reason):
    assert result("processcalendar;", text, objects=on_calendar(event(*MINE)))[1] == reason


def test_a_reply_to_an_older_invitation_changes_nothing():
    assert result("processcalendar;", reply(), objects=on_calendar(event(*MINE, sequence=1)))[0] == "no_action"


def test_a_reply_is_for_the_organizer():
    text = reply().replace(f"ORGANIZER:mailto:{ME}", ORGANIZER)
    assert result("processcalendar;", text, objects=on_calendar(event(*MINE)))[1] == "you are not the organizer"


# -- organizers, §4.6 ----------------------------------------------------------------------------------------------

TRUSTED = "tag:example.com,2026:trusted"


@pytest.mark.parametrize(("members", "what"), [((BOSS.upper(),), "added"), (("x@y.example",), "no_action")])
def test_only_organizers_of_the_list_are_trusted(members, what):
    assert result(f'processcalendar :organizers "{TRUSTED}";', REQUEST, lists={TRUSTED: members})[0] == what


def test_with_trusted_organizers_only_itip_messages_count():
    action, lists = f'processcalendar :allowpublic :organizers "{TRUSTED}";', {TRUSTED: (BOSS,)}
    assert result(action, ics("", event(ORGANIZER)), lists=lists)[0] == "no_action"
    assert result(action, ics("PUBLISH", event(ORGANIZER)), lists=lists)[0] == "added"


def test_a_list_of_organizers_that_there_is_not_is_a_run_time_error():
    assert "no external list" in str(outcome(f'processcalendar :organizers "{TRUSTED}";', mail(REQUEST)).failure)


# -- the command, §4.7 to §4.9 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ('processcalendar :updatesonly :calendarid "x";', "cannot be used together"),
        ('require "processcalendar"; processcalendar :outcome "x";', "needs variables"),
        ('require "processcalendar"; processcalendar :reason "x";', "needs variables"),
        ('require "processcalendar"; processcalendar :organizers ":addrbook:default";', "needs extlists"),
        ('processcalendar :outcome "1";', "invalid variable name"),
        ('processcalendar :organizers "nobody";', "absolute URI"),
        ('processcalendar "x";', "requires 0 positional arguments"),
    ],
)
def test_wrong_uses_are_found_when_compiling(script, said):
    assert said in problems(script if script.startswith("require") else FULL + script)[0]


def test_outcome_and_reason_go_into_variables():
    script = (
        'require ["processcalendar", "variables", "fileinto"];'
        'processcalendar :updatesonly :outcome "o" :reason "R"; fileinto "${O}-${r}";'
    )
    assert outcome(script, mail(REQUEST)).effects[1].mailbox == "no_action-only processing updates"


def test_without_a_reason_the_variable_is_empty():
    script = 'require ["processcalendar", "variables", "fileinto"]; set "r" "x"; processcalendar :reason "r"; fileinto "a${r}";'
    assert outcome(script, mail(REQUEST)).effects[1].mailbox == "a"


@pytest.mark.parametrize("message", [mail(REQUEST), mail("hi", kind="text/plain")])
@pytest.mark.parametrize("other", ["processcalendar;", 'reject "no";', 'ereject "no";'])
def test_what_it_cannot_be_combined_with_is_a_run_time_error(other, message):
    script = f'require ["processcalendar", "reject", "ereject"]; processcalendar; {other}'
    assert "cannot be combined with processcalendar" in str(outcome(script, message).failure)


def test_it_is_off_by_default():
    assert not EXTENSIONS[0].default


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("CATEGORIES:" + "a," * 11_000, "items of lists"),
        ("\r\n".join(["X-A:1"] * 6_000), "more than 5000 lines"),
        ("\r\n".join(f"RDATE;TZID=Zone/{n}:20260101T000000" for n in range(60)), "more than 50 zones"),
        ("RDATE;TZID=" + "A" * 500 + ":20260101T000000", "of more than 100 characters"),
    ],
)
def test_what_the_library_would_take_long_for_is_refused_beforehand(line, said):
    assert said in result("processcalendar;", ics("REQUEST", event(*INVITED, line)))[1]


def test_no_path_of_this_machine_is_told():
    assert "/" not in result("processcalendar;", ics("REQUEST", event(*INVITED, f"RDATE;TZID={'A/' * 40}:x")))[1]


def test_hostile_data_are_understood_in_their_budget():
    text = ics("REQUEST", event(*INVITED, *["ATTENDEE:mailto:x@y.example"] * 3000))
    assert "too much text" in str(outcome("processcalendar;", mail(text), limits=Limits(matching=500_000)).failure)


# -- the examples, §4.10 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        """require [ "processcalendar" ];
        processcalendar :addresses [ "me@example.com", "alsome@example.com" ]
                        :calendarid "1ea6d86b-6c7f-48a2-bed3-2a4c40ec281a";""",
        """require [ "processcalendar" ];
        if allof (address ["from", "sender"] "airline@example.com",
                  header :contains "subject" "itinerary") {
           processcalendar :allowpublic;
        }""",
    ],
)
def test_the_examples_compile(script):
    assert problems(script) == []


def test_the_third_example_tells_of_the_outcome_in_the_header():
    script = """require [ "processcalendar", "variables", "editheader" ];
    set "processcal_outcome" "no_action";
    set "processcal_reason" "";
    processcalendar :outcome "processcal_outcome"
                    :reason "processcal_reason";
    if not string :is "${processcal_outcome}" ["added", "updated"] {
       addheader "X-ProcessCal-Outcome" "${processcal_outcome}";
       addheader "X-ProcessCal-Reason" "${processcal_reason}";
    }"""
    found = outcome(script, mail("hi", kind="text/plain"))
    assert found.effects[-1].message.values("X-ProcessCal-Outcome") == ("no_action",)
    assert outcome(script, mail(REQUEST)).effects[-1].message is None


# -- hostile calendars: bounded for every field, and an outcome for all of them ---------------------------------------


@pytest.mark.parametrize("name", ["UID", "DTSTART", "DTEND", "RECURRENCE-ID", "ORGANIZER", "SEQUENCE", "STATUS"])
@pytest.mark.parametrize("method", ["REQUEST", "CANCEL", "ADD", "REPLY", ""])
def test_what_must_be_there_once_is_refused_when_it_is_there_twice(name, method):
    values = {"UID": "1@acme", "ORGANIZER": "mailto:x@y.example", "SEQUENCE": "1", "STATUS": "CONFIRMED"}
    twice = [f"{name}:{values.get(name, '20260301T100000Z')}"] * 2
    text = ics(method, event(f"ATTENDEE:mailto:{ME}", *twice))
    said = result("processcalendar :allowpublic;", text, objects=on_calendar(event(*INVITED, "RRULE:FREQ=DAILY")))
    assert said == ("no_action", f"malformed calendar data: {name} is there more than once")


def instances(method, number, *lines):
    days = (f"2026{n // 28 % 12 + 1:02}{n % 28 + 1:02}T{n // 336:02}0000Z" for n in range(number))
    return ics(method, *(event(*lines, f"RECURRENCE-ID:{day}", sequence=2) for day in days))


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
def test_many_instances_of_many_cost_no_more_than_each(method):
    began = time.thread_time()
    there = {"1@acme": instances("", 400, *INVITED).encode()}
    assert result("processcalendar;", instances(method, 400, *INVITED, "COMMENT:new"), objects=there) == ("updated", "")
    assert time.thread_time() - began < 10


def test_an_attendee_who_is_there_a_thousand_times_costs_no_more_than_each():
    began = time.thread_time()
    many = (*INVITED, *[f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ME}"] * 4000)
    assert (
        result("processcalendar;", ics("REQUEST", event(*many, sequence=2)), objects=on_calendar(event(*many)))[1] == ""
    )
    assert time.thread_time() - began < 10


def test_a_long_series_is_not_copied_for_every_instance_that_somebody_names():
    series = on_calendar(event(*INVITED, *["COMMENT:x"] * 900, "RRULE:FREQ=DAILY"))
    said = result("processcalendar;", instances("CANCEL", 100, *INVITED), objects=series)
    assert said == ("no_action", "it is about too many instances at once")


def test_an_object_never_grows_until_it_cannot_be_read_again():
    there = on_calendar(event(*INVITED, *["COMMENT:x"] * 4800, "RRULE:FREQ=DAILY"))
    said = result("processcalendar;", instances("REQUEST", 50, *INVITED), objects=there)
    assert said[0] == "error"
    assert "more than 5000 lines" in said[1]


def test_all_representations_together_have_a_limit():
    text = ics("REQUEST", event(*INVITED, f"COMMENT:{'x' * 100_000}"))
    assert "octets: the limit is" in done("processcalendar;", mail(text, text + "\n", text + "\n\n"))[1]


def test_the_same_data_as_a_file_beside_it_count_once():
    text = ics("REQUEST", event(*INVITED, f"COMMENT:{'x' * 200_000}"))
    assert done("processcalendar;", mail(text, text, text))[0] == "added"


def test_objects_on_the_calendar_are_charged_as_those_in_the_message():
    there = on_calendar(event(*INVITED, *["COMMENT:x"] * 1000))
    found = outcome("processcalendar;", mail(REQUEST), objects=there, limits=Limits(matching=200_000))
    assert "too much text" in str(found.failure)


def test_parameters_have_a_limit():
    line = "RRULE:FREQ=DAILY;" + ";".join(f"X{n}=1" for n in range(21_000))
    assert "more than 20000 parameters" in result("processcalendar;", ics("REQUEST", event(*INVITED, line)))[1]
