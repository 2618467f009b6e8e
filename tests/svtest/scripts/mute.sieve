require "vnd.dovecot.testsuite";
if not header "subject" "Test" { test_fail "not this one"; }
