if anyof (header "from:" "x", exists "a b:", size :over 0) { keep; }
if size :under 0 { discard; }
stop;
keep;
# no line end at the end
# nor here