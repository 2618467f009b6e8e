require "vnd.dovecot.environment";
if environment "location" "MS" { discard; }
