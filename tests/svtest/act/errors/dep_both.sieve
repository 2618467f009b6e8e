require ["notify","enotify"];
notify "mailto:a@b.c";
