require "variables";
set "a" "frop";
redirect "a@b.example";
redirect "${a}";
redirect "b@b.example";
