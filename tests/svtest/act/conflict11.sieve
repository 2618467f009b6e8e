require ["fileinto","reject","vacation","ereject","copy"];
ereject "x";
reject "x";
