require "enotify"; notify "mailto:n@example.com";
