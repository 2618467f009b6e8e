require ["vnd.dovecot.debug"];
debug_log;
debug_log 5;
debug_log ["a"];
debug_log "a" "b";
debug_log :x "a";
if debug_log "a" { keep; }
