require "fileinto";
if header "X-Before" "1" { fileinto "Third"; }
