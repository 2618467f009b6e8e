require ["vacation","enotify"];
vacation :from "" "x";
vacation :from "frop" "x";
vacation :from "grp: a@b.example;" "x";
vacation :from "Frop" "x";
notify :from "" "mailto:a@b.example";
notify :from "frop@" "mailto:a@b.example";
redirect "Frop <>";
redirect "a@b.example <c@d.example>";
redirect "<a@b.example> trailing";
redirect "a@b.example
";
redirect "a@b.example;";
