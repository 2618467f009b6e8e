require ["extlists", "variables"];
if header :list :comparator "i;octet" "subject" "tag:x" { keep; }
if header :list :is "subject" "tag:x" { keep; }
if header :list "subject" 5 { keep; }
redirect :list "tag:x";
if valid_ext_list { keep; }
if valid_ext_list 5 { keep; }
if valid_ext_list "a" "b" { keep; }
if valid_ext_list :is "a" { keep; }
valid_ext_list "a";
