require ["fileinto","reject","vacation","ereject","copy"];
keep;
reject "x";
