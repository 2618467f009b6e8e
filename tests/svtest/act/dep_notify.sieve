require ["notify"];
notify :method "mailto" :options "a@example.com" :message "$from$: $subject$ $text$" :high :id "x";
