require ["include", "fileinto"];
fileinto "Here";
return;
fileinto "Never";
