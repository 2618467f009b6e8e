require ["notify"];
notify :method "mailto" :options "a@example.com" :message "x" :low;
notify :method "mailto" :options "c@example.com" :high;
denotify :low;
