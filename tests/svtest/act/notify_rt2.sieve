require ["enotify","variables"];
set "x" "fr op";
notify "${x}:a@b.example";
