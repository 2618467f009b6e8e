require ["vnd.dovecot.environment", "variables", "fileinto"];
if environment "vnd.dovecot.config.colour" "green" { fileinto "a"; }
if string "${env.vnd.dovecot.config.colour}" "green" { fileinto "b"; }
if environment :contains "vnd.dovecot.config.other" "" { fileinto "c"; }
