require ["vnd.dovecot.environment", "variables"];
if environment { keep; }
if environment "name" { keep; }
if environment ["name"] "x" { keep; }
if environment "name" 5 { keep; }
if environment "name" "a" "b" { keep; }
if environment :raw "name" "a" { keep; }
environment "name" "a";
set "env.name" "x";
