require "vnd.dovecot.report";
report;
report "abuse" "x";
report "ab use" "x" "a@example.com";
report "" "x" "a@example.com";
report "abuse" "x" "frop";
report "abuse" ["x"] "a@example.com";
report :frop "abuse" "x" "a@example.com";
