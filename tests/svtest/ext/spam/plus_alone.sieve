require "spamtestplus";
if spamtest :percent "5" { keep; }
