require ["enotify","variables"];
set "x" "fr op";
notify :options "${x}" "mailto:a@b.example";
