# ruff: noqa: RUF001 - quotes of all kinds are what it is about
"""A script of a hundred lines without a mistake, and mistakes to put into it, by who makes them.

A mistake is what the script has, what stands there instead, the kind of the one problem that this is, and what the
hint must say. Where the problem is in another line than the mistake begins, the difference follows.
"""

GOOD = """\
require ["fileinto", "copy", "imap4flags", "envelope"];
require ["variables", "relational", "comparator-i;ascii-numeric"];
require ["vacation", "body", "mailbox", "reject"];

# rule:[Spam]
if header :contains "X-Spam-Flag" "YES" {
    addflag "Junk";
    fileinto "Spam";
    stop;
}

# rule:[Big]
if size :over 20M {
    fileinto "Big";
    stop;
}

# rule:[Lists]
if header :contains "List-Id" ["python", "postfix",
                               "dovecot"] {
    fileinto "Lists/Technology";
} elsif header :contains "List-Id" "cooking" {
    fileinto "Lists/Cooking";
} else {
    keep;
}

# rule:[Family]
if anyof (address :is "from" "mother@example.org",
          address :is "from" "father@example.org",
          address :domain "from" "family.example") {
    addflag "\\\\Flagged";
    fileinto "Family";
}

# rule:[Work]
if allof (address :domain :is "to" "work.example",
          not header :contains "Subject" "lunch") {
    fileinto :copy "Work";
    redirect "me@work.example";
}

# rule:[Invoices]
if header :matches "Subject" "Invoice *" {
    set "number" "${1}";
    addflag "${number}";
    fileinto "Invoices";
}

# rule:[Priority]
if header :value "ge" :comparator "i;ascii-numeric"
          "X-Priority" "4" {
    discard;
}

# rule:[Shop]
if envelope :contains "from" "shop.example" {
    if body :contains "unsubscribe" {
        fileinto "Advertising";
    } else {
        fileinto "Shopping";
    }
}

# rule:[Boss]
if address :contains "from" "boss@work.example" {
    addflag "Important";
    keep;
}

# rule:[Newsletters]
if exists ["List-Unsubscribe", "List-Post"] {
    fileinto "Newsletters";
}

# rule:[Club]
if anyof (header :contains "Subject" "[club]",
          header :contains "Cc" "club@example.net") {
    fileinto "Club";
}

# rule:[Away]
vacation :days 7
         :subject "Away"
         :addresses ["me@example.org", "me@work.example"]
text:
I am away until Monday.
.
;

# rule:[Old address]
if envelope :is "to" "old@example.org" {
    reject "This address is not used any more.";
    stop;
}

# rule:[Rest]
if not exists "Message-ID" {
    fileinto "Odd";
}
keep;
"""

MISTAKES = {
    "punctuation": [
        ('addflag "Junk";', 'addflag "Junk"', "missing-semicolon", "';'"),
        ("if size :over 20M {", "if size :over 20M", "missing-brace", "braces"),
        ('"python", "postfix",', '"python"; "postfix",', "syntax", "','"),
        ('fileinto "Lists/Cooking";', 'fileinto "Lists/Cooking"', "missing-semicolon", "';'"),
        ('"mother@example.org",\n', '"mother@example.org";\n', "syntax", "','"),
        ('fileinto :copy "Work";', 'fileinto :copy "Work";;', "syntax", "too many"),
        ('fileinto "Advertising";', 'fileinto "Advertising" ', "missing-semicolon", "';'"),
        ('"List-Unsubscribe", "List-Post"', '"List-Unsubscribe" "List-Post"', "syntax", "','"),
        ('"club@example.net") {', '"club@example.net" {', "missing-bracket", "')'"),
        ('"me@example.org", "me@work.example"]', '"me@example.org", "me@work.example",]', "syntax", "remove"),
    ],
    "requires": [
        ('"envelope"];', '"envelop"];', "unknown-capability", "'envelope'"),
        ('"fileinto", ', "", "unknown-command", 'require ["fileinto"]', 7),
        (', "mailbox", "reject"]', ', "mailbox"]', "unknown-command", 'require ["reject"]', 90),
        ('"body", ', "", "unknown-test", 'require ["body"]', 55),
        ('"comparator-i;ascii-numeric"];', '"comparator-i;ascii-numeric", "keep"];', "needless-require", "remove"),
        ('"vacation", ', "", "unknown-command", 'require ["vacation"]', 80),
        ("# rule:[Boss]", 'require "date";', "late-require", "beginning"),
        ('"copy", ', '"Copy", ', "unknown-capability", "'copy'"),
        ('"variables", ', '"variable", ', "unknown-capability", "'variables'"),
        ('"imap4flags"', '"imap4flag"', "unknown-capability", "'imap4flags'"),
    ],
    "misspelt": [
        ('fileinto "Spam";', 'filinto "Spam";', "unknown-command", "'fileinto'"),
        ("size :over 20M", "size :ovr 20M", "unknown-tag", "':over'"),
        ('} elsif header :contains "List-Id"', '} elseif header :contains "List-Id"', "unknown-command", "'elsif'"),
        ("anyof (address :is", "anyoff (address :is", "unknown-test", "'anyof'"),
        ('redirect "me@', 'redirct "me@', "unknown-command", "'redirect'"),
        (':matches "Subject"', ':match "Subject"', "unknown-tag", "':matches'"),
        ('"i;ascii-numeric"\n', '"i;ascii-numerical"\n', "unknown-comparator", "'i;ascii-numeric'"),
        ("if envelope :contains", "if envelope :contain", "unknown-tag", "':contains'"),
        ("if exists [", "if exist [", "unknown-test", "'exists'"),
        (":days 7", ":day 7", "unknown-tag", "':days'", 0),
    ],
    "quotes": [
        ('"X-Spam-Flag" "YES"', "'X-Spam-Flag' \"YES\"", "syntax", '"X-Spam-Flag"'),
        ('fileinto "Spam";', "fileinto Spam;", "syntax", '"Spam"'),
        ('fileinto "Big";', 'fileinto "Big;', "syntax", '"Big"'),
        ('"cooking"', "“cooking”", "syntax", '"cooking"'),
        ('"family.example"', "family.example", "syntax", '"family.example"'),
        ('"me@work.example";', "me@work.example;", "syntax", '"me@work.example"'),
        ('"Invoice *"', '"Invoice *', "syntax", "Invoice"),
        ('fileinto "Shopping";', 'fileinto Shopping";', "syntax", '"Shopping"'),
        ('"This address is not used any more."', '"This "address" is not used any more."', "syntax", '\\"'),
        ('"Message-ID"', "Message-ID", "syntax", '"Message-ID"'),
    ],
    "other languages": [
        ("# rule:[Spam]", "// Spam", "syntax", "#"),
        ('} elsif header :contains "List-Id"', '} else if header :contains "List-Id"', "no-if", "elsif"),
        ('"me@example.org", "me@', '"me@example.org" + "me@', "syntax", "','"),
        ('if header :contains "X-Spam-Flag" "YES"', 'if header "X-Spam-Flag" == "YES"', "syntax", ":is"),
        ("not header :contains", "!header :contains", "syntax", "not"),
        ("20M", "20MB", "syntax", "K, M or G"),
        ('"boss@work.example" {', '"boss@work.example" && true {', "syntax", "allof"),
        ("    } else {\n        fileinto", "    } else: {\n        fileinto", "syntax", "':'"),
        ('if envelope :is "to" "old@example.org" {', 'if envelope :is "to" "old@example.org"; {', "syntax", "';'"),
        ('if not exists "Message-ID" {', 'if (not exists "Message-ID") {', "tests", "parentheses"),
    ],
    "arguments": [
        ('addflag "Junk";', "addflag 5;", "argument-kind", "addflag"),
        ("size :over 20M", 'size :over "20M"', "argument-kind", "size"),
        ('header :contains "List-Id" "cooking"', 'header "List-Id" :contains "cooking"', "tag-place", "first"),
        ('address :is "from" "mother@example.org"', 'address :is "mother@example.org"', "argument-count", "address"),
        ('redirect "me@work.example";', 'redirect ["me@work.example", "a@b.example"];', "argument-kind", "redirect"),
        ('set "number" "${1}";', 'set "number";', "argument-count", "set"),
        ('address :contains "from" "boss', 'address :contains "subject" "boss', "argument", "address"),
        ('header :value "ge"', 'header :value :count "ge"', "argument-kind", "header"),
        (':subject "Away"', ':subject "Away" :subject "Gone"', "duplicate-tag", "one"),
        ('reject "This address is not used any more.";', 'reject "This address" "is not used any more.";', "argument-count", "reject"),
    ],
    "structure": [
        ('if header :contains "X-Spam-Flag" "YES" {', 'header :contains "X-Spam-Flag" "YES" {', "test-as-command", "if header"),
        ("if size :over 20M {", "if fileinto {", "command-as-test", "'fileinto'"),
        ("} else {\n    keep;", "} else true {\n    keep;", "stray-tests", "elsif"),
        ("if anyof (address", "if (address", "tests", "anyof"),
        ('redirect "me@work.example";', 'redirect "me@work.example" { }', "block", "';'"),
        ("# rule:[Away]", "keep; else { keep; }", "no-if", "'if'"),
        ("    discard;\n}", "    discard;\n}\nelse { keep; }\nelse { stop; }", "no-if", "'if'", 3),
        ('if exists ["List-Unsubscribe"', 'exists ["List-Unsubscribe"', "test-as-command", "if exists"),
        ('fileinto "Club";\n}', 'fileinto "Club";\n}}', "extra-brace", "remove", 1),
        ('if not exists "Message-ID" {', "if not {", "tests", "not"),
    ],
    "other filters": [
        ("# rule:[Spam]", ":0:\n* ^X-Spam: .*yes\nSpam/", "syntax", "no Sieve"),
        ('fileinto "Spam";', 'move "Spam";', "unknown-command", "'fileinto'"),
        ("    discard;", "    delete;", "unknown-command", "'discard'"),
        ('redirect "me@work', 'forward "me@work', "unknown-command", "'redirect'"),
        ('if header :contains "List-Id"', 'if header contains "List-Id"', "missing-colon", ":contains"),
        ('header :matches "Subject"', 'header :like "Subject"', "unknown-tag", "':matches'"),
        ('envelope :is "to"', 'envelope :equals "to"', "unknown-tag", "':is'"),
        ('if not exists "Message-ID"', 'if subject "Message-ID"', "unknown-test", "header"),
        ('"[club]",\n', '"[club]" or\n', "syntax", "','"),
        ("vacation :days 7", "autoreply :days 7", "unknown-command", "'vacation'"),
    ],
    "braces": [
        ("    stop;\n}\n\n# rule:[Big]", "    stop;\n\n# rule:[Big]", "missing-brace", "line 6", -3),
        ("} elsif header", "elsif header", "missing-brace", "elsif", -1),
        ('"family.example") {', '"family.example" {', "missing-bracket", "')'"),
        ('"dovecot"] {', '"dovecot" {', "missing-bracket", "']'"),
        ('"List-Unsubscribe", "List-Post"] {', '"List-Unsubscribe", "List-Post") {', "syntax", "']'"),
        ('"lunch") {', '"lunch")) {', "syntax", "')'"),
        ('if envelope :contains "from" "shop.example" {', 'if envelope :contains "from" ["shop.example" {', "missing-bracket", "']'"),
        ('["me@example.org", "me@work.example"]', '[["me@example.org", "me@work.example"]]', "syntax", "'['"),
        ('if not exists "Message-ID" {', "if not exists [] {", "syntax", "at least one"),
        ("    discard;", "    { discard; }", "syntax", "block"),
    ],
    "pasted text": [
        ('addflag "Junk";', 'addflag\u00a0"Junk";', "syntax", "space"),
        ('fileinto "Lists/Technology";', "fileinto ‘Lists/Technology’;", "syntax", '"'),
        ('"cooking"', "„cooking“", "syntax", '"cooking"'),
        ('"father@example.org"', "«father@example.org»", "syntax", '"father@example.org"'),
        ("# rule:[Work]", "<p>Work</p>", "syntax", "name"),
        ('set "number" "${1}";', 'set "number" ${1};', "syntax", '"${1}"'),
        ('"X-Priority" "4"', '"X-Priority" "4”', "syntax", "double quotes"),
        ("I am away until Monday.\n.\n;", "I am away until Monday.\n .\n;", "syntax", "'.'", -1),
        ('addflag "Important";', 'addflag "Important".', "syntax", "';'"),
        ('fileinto "Odd";', "fileinto `Odd`;", "syntax", '"Odd"'),
    ],
}  # fmt: skip
