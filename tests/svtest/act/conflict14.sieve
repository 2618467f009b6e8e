require ["fileinto","reject","vacation","ereject","copy"];
ereject "x";
fileinto :copy "A";
