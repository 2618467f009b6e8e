if header :is ["a" "b"] "x" { keep; }
if true { discard }
if anyof (true, ) { stop; }
redirect ["a@b.example", 5];
if true { keep; discard "x" }
keep 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33;
if anyof (true "a", true { keep; }
if header "a" "b") { keep; }
keep % ;
frobnicate;
redirect "kim@office.example";
