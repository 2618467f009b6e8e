require "body";
if body { keep; }
if body 5 { keep; }
if body "a" "b" { keep; }
if body :raw :text "a" { keep; }
if body :raw :raw "a" { keep; }
if body :content "text" :text "a" { keep; }
if body :content 5 "a" { keep; }
if body :content "text" { keep; }
if body :is :contains "a" { keep; }
if body :file "a" { keep; }
body "a";
