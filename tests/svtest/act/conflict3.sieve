require ["fileinto","reject","vacation","ereject","copy"];
fileinto "A";
reject "x";
