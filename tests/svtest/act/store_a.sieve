require ["fileinto","editheader"];
addheader "X-A" "1";
fileinto "Work";
addheader "X-B" "2";
