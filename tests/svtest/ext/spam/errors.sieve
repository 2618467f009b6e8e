require ["spamtest", "spamtestplus", "virustest"];
if spamtest { keep; }
if spamtest 5 { keep; }
if spamtest ["1", "2"] { keep; }
if spamtest "1" "2" { keep; }
if spamtest :score "1" { keep; }
if spamtest :percent :percent "1" { keep; }
if virustest { keep; }
if virustest :percent "1" { keep; }
if virustest 5 { keep; }
spamtest "1";
