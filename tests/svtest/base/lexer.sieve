# 2: unknown characters, and where a tag or argument might be
keep $$$;
# 1: number too large, and nothing else for it
if size :over 18446744073709551616 { discard; }
# 1: a tag of 33 characters
keep :a23456789012345678901234567890123;
# 2
discard ~ ;
# 1
redirect "a@b.example;
