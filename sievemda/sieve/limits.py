"""Every bound of the language, in one frozen value. RFC 5228 §2.10.7 allows them; a breach is a Problem that names the
limit, the value and the line, at upload where the script alone decides.

What a site sets (redirects, actions, periods of vacation, the separator of sub-addresses) comes from its settings;
the rest guards the machine and is far above what any script of a person needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sievemda.sieve.options import Options

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    # What is checked when a script is compiled.
    script_size: int = 1 << 20  # octets
    tokens: int = 200_000  # words, strings and marks; a script of the largest size as people write it has fewer
    blocks: int = 31  # blocks open at once; RFC 5228 §2.10.7 asks for 15
    tests: int = 31  # tests inside tests of one command; RFC 5228 §2.10.7 asks for 15
    arguments: int = 32  # of one command, tags and what follows them included
    identifier: int = 32  # characters
    string: int = 1 << 20  # characters of one literal
    number: int = (1 << 64) - 1  # the largest number, after K, M or G; RFC 5228 §2.4.1 asks for 2^31 - 1
    problems: int = 200  # problems reported of one script; what follows is seldom of use

    # What is checked when a script runs.
    actions: int = 32  # entries of the result, merged ones counted once; 0 is no limit
    redirects: int = 4  # 0 forbids redirect
    notifications: int = 10  # 0 forbids notify
    instructions: int = 200_000  # commands, tests and comparisons of one run
    matching: int = 50_000_000  # characters looked at by comparisons of one run
    looks: int = 4  # as often the whole message may be looked at beside that
    lookup: int = 8  # commands or branches in a row from which on tests are looked up; 0 is never
    trace: int = 2_000  # tests whose course is recorded
    notes: int = 200  # lines of the script's log, and edits that are told of
    note_size: int = 1_000  # characters of one

    # variables, RFC 5229 §6.
    variables: int = 255
    variable_name: int = 64  # characters
    variable_size: int = 16_384  # octets, so that 4000 characters of any kind fit; a longer value is cut
    text_size: int = 1 << 20  # octets of an expanded string
    match_variables: int = 32  # the highest ${N}

    # vacation, RFC 5230 §4.1; seconds.
    vacation_minimum: int = DAY
    vacation_default: int = 7 * DAY
    vacation_maximum: int = 90 * DAY

    # External lists, RFC 6134 §3.
    list_lookups: int = 100  # questions to lists in one run; what is known already is not asked again
    list_values: int = 2_000  # values of one question
    list_recipients: int = 100  # members of a list to which a message is redirected; 0 forbids that

    # Programs of the administrator.
    programs: int = 10  # run for one script
    program_name: int = 256  # characters
    program_arguments: int = 32
    program_argument: int = 16_384  # octets of one

    # Calendars, RFC 9671.
    calendar_size: int = 256 * 1024  # octets of the calendar data of one message
    calendar_objects: int = 20  # of one message

    # include, RFC 6609 §3.1.
    includes: int = 255  # different scripts of one run; 0 forbids include
    include_depth: int = 10  # scripts inside scripts, without the first one

    # duplicate, RFC 7352 §3.3; seconds.
    duplicate_default: int = 7 * DAY
    duplicate_maximum: int = 90 * DAY

    # MIME, RFC 5703: what is beyond is looked at as one opaque part.
    parts: int = 1_000  # parts of one message
    nesting: int = 50  # parts inside parts
    loops: int = 4  # foreverypart inside foreverypart

    # What the site puts between user and detail; each character is a separator (RFC 5233 §4).
    recipient_delimiter: str = "+"

    # What the site decides for single extensions.
    options: Options = field(default_factory=Options)
