require ["fileinto","reject","vacation","ereject","copy"];
vacation "x";
reject "x";
