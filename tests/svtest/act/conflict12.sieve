require ["fileinto","reject","vacation","ereject","copy"];
ereject "x";
ereject "y";
