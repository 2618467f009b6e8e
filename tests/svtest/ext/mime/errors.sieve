require ["mime", "foreverypart", "extracttext", "variables", "replace", "enclose"];
if header :anychild "subject" "x" { keep; }
if header :type "subject" "x" { keep; }
if header :subtype "subject" "x" { keep; }
if header :contenttype "subject" "x" { keep; }
if header :param "a" "subject" "x" { keep; }
if header :mime :type :subtype "subject" "x" { keep; }
if header :mime :param "a" :contenttype "subject" "x" { keep; }
if header :mime :param "subject" "x" { keep; }
if header :mime :param 5 "subject" "x" { keep; }
if address :mime :type "to" "x" { keep; }
if address :anychild "to" "x" { keep; }
if exists :mime :param "a" "to" { keep; }
if exists :anychild "to" { keep; }
break;
if true { break; }
foreverypart;
foreverypart "x" { keep; }
foreverypart :name { keep; }
foreverypart :name 5 { keep; }
foreverypart true { keep; }
foreverypart :each { keep; }
foreverypart { break "x"; }
foreverypart { break :name; }
foreverypart { break :name "nowhere"; }
foreverypart :name "a" { foreverypart { break :name "b"; } }
foreverypart { foreverypart { foreverypart { foreverypart { foreverypart { keep; } } } } }
extracttext "a";
foreverypart { extracttext; }
foreverypart { extracttext 5; }
foreverypart { extracttext "not a name"; }
foreverypart { extracttext :first "a"; }
foreverypart { extracttext :first 5 :first 6 "a"; }
foreverypart { extracttext :upper :lower "a"; }
replace;
replace :mime;
replace :subject 5 "x";
enclose;
