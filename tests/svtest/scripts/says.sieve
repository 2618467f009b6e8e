require ["vnd.dovecot.testsuite", "fileinto"];
fileinto "Work";
test_fail "no good";
fileinto "Other";
