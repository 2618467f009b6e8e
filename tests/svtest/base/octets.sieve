# ÿþ
if header :is "subject" "ÿ" { keep; } /* € */
