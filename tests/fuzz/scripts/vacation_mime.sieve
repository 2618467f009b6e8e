# An answer that the script composes as a MIME entity, and an address from the message.
require ["vacation", "variables", "reject", "ereject", "copy"];

if address :matches ["from", "reply-to"] "*" { set "f" "${1}"; }
if header :matches "subject" "*" { set "s" "${1}"; }
redirect :copy "${f}";
vacation :mime :days 1 :from "Kim <kim@example.org>" text:
Content-Type: multipart/alternative; boundary=x

--x

${s}
--x
Content-Type: text/html

<b>${s}</b>
--x--
.
;
