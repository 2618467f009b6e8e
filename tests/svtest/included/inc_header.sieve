require ["editheader"];
addheader "X-Included" "yes";
