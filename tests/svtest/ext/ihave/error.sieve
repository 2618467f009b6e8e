require ["ihave", "fileinto"];
fileinto "before";
if not ihave "nothing-of-the-kind" { error "because of this"; }
fileinto "after";
