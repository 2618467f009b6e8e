require ["extlists", "variables", "fileinto"];
set "l" "tag:l";
if string :list "short" "${l}" { fileinto "a"; }
if not valid_ext_list "${l}x" { fileinto "a"; }
