require ["notify"];
notify :method "mailto" :options ["a@example.com","b@example.com"] :message "x" :low :id "x";
notify :method "mailto" :options "c@example.com" :id "y";
denotify :is "x";
