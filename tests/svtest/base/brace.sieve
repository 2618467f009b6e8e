if true {
    keep;
}
}
keep ["a" "b"];
$$$
