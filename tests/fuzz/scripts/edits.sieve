# Changes a message in every way there is, with what the message says.
require ["editheader", "variables", "regex", "foreverypart", "mime", "replace", "enclose", "extracttext", "convert",
    "redirect-dsn", "copy", "fcc", "fileinto", "index", "relational", "vnd.dovecot.filter"];

if header :matches ["subject", "x-a"] "*" { set "s" "${1}"; }
if header :matches "from" "*" { set "f" "${1}"; }
addheader "X-New" "${s}";
addheader :last "X-Last" "${f}";
deleteheader :matches "received" ["*a*", "${s}"];
deleteheader :index 1 :last "x-a";
addheader "X-New" "${s}";
if not header :count "ge" "x-new" "1" { addheader "X-Wrong" "1"; }
redirect :copy :notify "NEVER" "a@example.org";
foreverypart {
    if header :mime :contains :type "content-type" "text" {
        extracttext :first 100 "t";
        extracttext :upper "u";
        if header :mime :subtype "content-type" "html" { replace "<b>${t}</b> ${s}"; }
        elsif header :mime :contains "content-disposition" "attachment" { convert "text/plain" "text/html" ["charset=utf-8"]; }
    }
    if header :mime :contains "content-type" "image" { replace :mime "Content-Type: text/plain\r\n\r\n${t}${s}"; }
}
addheader "X-Text" "${t}${u}";
fileinto :copy "edited";
replace :subject "${s}" :from "kim@example.org" "${t}";
enclose :subject "${s}" :headers ["Subject: ${s}", "X-B: ${f}"] "${t}";
addheader "X-Enclosed" "${s}";
if filter "back" ["${s}"] { fileinto "back"; }
