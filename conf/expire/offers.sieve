require ["body", "imap4flags", "relational", "comparator-i;ascii-numeric"];

# What is kept, or not mentioned, stays where it is; what is discarded expires.
if hasflag "\\Flagged" { stop; }
if allof (exists "List-Unsubscribe",
          body :text :contains ["unsubscribe", "valid until"],
          not hasflag "\\Answered") {
    discard;
}
