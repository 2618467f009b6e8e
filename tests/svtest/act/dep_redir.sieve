require ["variables"];
set "a" "x@example.com";
redirect "${a}";
set "b" " Foo <y@example.com> ";
redirect "${b}";
