require ["fileinto"];
fileinto "Included";
