require ["vnd.dovecot.pipe","vnd.dovecot.filter","vnd.dovecot.execute"];
pipe;
pipe "a/b";
pipe "";
pipe :copy "x";
execute :input "a" :pipe "x";
execute :output "x" "y";
filter "x" "y" "z";
filter ["x"] ["y"];
