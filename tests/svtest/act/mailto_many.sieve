require "enotify";
notify "mailto:a@b.example%2Cb@b.example%2Cc@b.example?x-one=1&x-two=2";
