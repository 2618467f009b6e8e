require ["fileinto","reject","vacation","ereject","copy"];
reject "x";
fileinto "A";
