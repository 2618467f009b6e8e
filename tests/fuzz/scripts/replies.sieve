# Answers and notices that quote the message.
require ["vacation-seconds", "vacation", "variables", "enotify", "fcc", "mailbox", "imap4flags", "vnd.dovecot.report",
    "envelope", "encoded-character", "fileinto", "extracttext", "foreverypart", "mime", "extlists", "snooze",
    "redirect-deliverby", "processcalendar", "copy", "include"];

if header :matches ["subject", "x-a"] "*" { set "s" "${1}"; }
if header :matches ["from", "reply-to"] "*" { set "f" "${1}"; }
if envelope :matches "from" "*" { set "e" "${1}"; }
foreverypart { if header :mime :type "content-type" "text" { extracttext :first 200 "t"; } }
set :encodeurl "m" "mailto:kim@example.org?subject=${s}&body=${t}";
set :encodeurl "c" "${s}";
vacation :seconds 60 :subject "Re: ${s}" :handle "${s}${e}" :fcc "Sent ${s}" :create :flags "\\Seen ${s}"
    :addresses ["kim@example.org", "x@y"] "${t} ${f}";
notify :message "${s} ${f}" :importance "1" :from "kim@example.org" :fcc "INBOX" "mailto:a@example.org?cc=b@example.org&subject=${c}";
notify :message "${t}" :options ["a=${s}"] "https://a.example.org/hook";
notify "mailto:c@example.org?body=${c}";
report "abuse" "${s}${t}" "a@example.org";
report :headers_only "other" "${f}" "b@example.org";
processcalendar :allowpublic :addresses "kim@example.org" :outcome "o" :reason "r";
redirect :copy :bytimerelative 600 :bymode "return" "d@example.org";
include :personal :optional "flags";
if string :matches "${o}${r}" "*" { fileinto "${1}"; }
keep;
