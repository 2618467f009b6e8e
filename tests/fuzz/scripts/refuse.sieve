# Refuses a message in its own words.
require ["reject", "variables", "foreverypart", "mime", "extracttext"];

if header :matches ["subject", "x-a"] "*" { set "s" "${1}"; }
foreverypart { if header :mime :type "content-type" "text" { extracttext :first 200 "t"; } }
reject "${s} ${t}";
