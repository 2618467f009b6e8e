require ["vnd.dovecot.debug", "variables"];
set "a" "b";
debug_log "value ${a}";
