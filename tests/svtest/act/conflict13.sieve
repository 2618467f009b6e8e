require ["fileinto","reject","vacation","ereject","copy"];
keep;
ereject "x";
