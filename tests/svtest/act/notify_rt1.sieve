require ["enotify","variables"];
set "x" "fr op";
notify "mailto:${x}";
