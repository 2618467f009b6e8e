require ["variables", "fileinto"];
set "seen" "by the script";
if string "${own}" "" { fileinto "Work"; }
