require ["reject","enotify","vnd.dovecot.report"];
discard;
reject "x";
notify "mailto:a@example.com";
report "abuse" "x" "b@example.com";
