require ["fileinto"]; if allof(exists "x-edit", header "subject" "Edited") { fileinto "Work"; }
