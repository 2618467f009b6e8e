require ["regex","variables"]; set "x" "("; if header :regex "subject" "${x}" { discard; } else { keep; }
