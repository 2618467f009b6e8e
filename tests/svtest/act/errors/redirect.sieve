# every line is wrong
redirect "@example.org";
redirect "frop";
redirect "frop@";
redirect "";
redirect "a@b.example, c@d.example";
redirect "Foo <a@b.example";
redirect "Group: a@b.example;";
redirect "a b@c.example";
redirect "a@b..example";
redirect "a@-";
redirect "ä@b.example";
redirect "a@b@c.example";
redirect "<>";
