require ["fileinto","reject","vacation","ereject","copy"];
reject "x";
reject "x";
