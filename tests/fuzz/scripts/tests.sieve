# Looks at everything in a message that a test can look at.
require ["variables", "envelope", "relational", "subaddress", "date", "index", "body", "mime", "foreverypart", "regex",
    "comparator-i;ascii-numeric", "comparator-i;unicode-casemap", "imap4flags", "spamtestplus", "virustest",
    "duplicate", "extlists", "environment", "fileinto", "mailbox", "copy", "encoded-character"];

if header :matches ["subject", "from", "to", "received", "x-a"] ["*[*]*", "*?*@*", "*"] {
    set :lower :upperfirst "v" "${1}";
    set :quotewildcard "q" "${2}";
    set :quoteregex "r" "${3}${1}";
    set :length "l" "${0}";
    addflag "${1} ${2}";
}
if header :index 1 :last :regex ["received", "subject"] "([a-z]+)[^[:alnum:]]+(.*)(${r})?" { set "w" "${2}"; }
if header :comparator "i;unicode-casemap" :contains ["subject", "x-a"] ["${v}", "Ä", "ss"] { addflag "$a"; }
if header :value "ge" :comparator "i;ascii-numeric" ["x-priority", "subject"] "${l}" { addflag "$b"; }
if anyof (header :count "gt" "received" "3", address :count "eq" ["to", "cc"] "2", exists ["list-id", "x-a"]) {
    addflag "$c";
}
if address :user :matches ["from", "to", "cc", "sender", "resent-to"] ["*.*", "${v}*"] { set "u" "${1}"; }
if address :detail :contains ["to", "cc"] ["${u}", ""] { addflag "$d"; }
if address :domain :comparator "i;unicode-casemap" :is ["from", "to"] ["example.org", "${w}"] { addflag "$e"; }
if address :all :list "from" "urn:example:friends" { addflag "$f"; }
if envelope :localpart :matches ["from", "to"] "*" { set "e" "${1}"; }
if date :originalzone :matches "date" "std11" "*" { set "d" "${1}"; }
if date :zone "-0330" :value "ge" "received" "iso8601" "2000" { addflag "$g"; }
if anyof (date :index 2 "received" "weekday" ["0", "6"], date "date" "julian" "1", date "x-a" "zone" "+0000") {
    addflag "$h";
}
if body :text :contains ["${v}", "viagra"] { addflag "$i"; }
if body :content ["text/html", "text", "message", "multipart"] :matches "*a*b?c*" { set "b" "${1}"; }
if body :raw :regex "[A-Z]{3,}(.*)" { set "raw" "${1}"; }
if header :mime :anychild :param ["filename", "name", "charset", "boundary"] "content-type" "${v}" { addflag "$j"; }
if header :mime :anychild :matches :contenttype "content-type" "*/*" { set "t" "${1}-${2}"; }
if header :mime :type ["content-disposition", "content-type"] ["attachment", "multipart"] { addflag "$k"; }
if header :mime :subtype :anychild :contains "content-type" ["html", "mixed"] { addflag "$l"; }
if exists :mime :anychild ["content-id", "x-a"] { addflag "$m"; }
if address :mime :anychild :all :contains ["from", "to"] "@" { addflag "$n"; }
if spamtest :percent :value "ge" :comparator "i;ascii-numeric" "50" { addflag "$Junk"; }
if virustest :value "eq" :comparator "i;ascii-numeric" "5" { addflag "$virus"; }
if duplicate :header "message-id" :handle "${v}" { addflag "$p"; }
if duplicate :uniqueid "${d}${e}" :seconds 10 :last { addflag "$q"; }
if size :over 1K { addflag "$r"; }
if string :matches ["${v}", "${w}", "${b}"] "*${q}*" { set "x" "${0}"; }
if not hasflag :contains "${v}" { keep :flags ["${v}", "\\Seen"]; }
foreverypart :name "a" {
    if header :mime :matches "content-type" "*" { set "y" "${y}${1}"; }
    foreverypart { if header :is "content-transfer-encoding" "base64" { break :name "a"; } }
}
fileinto :create :copy :flags "${v}" "A${hex: 2e}${x}${t}${y}";
fileinto "${raw}";
