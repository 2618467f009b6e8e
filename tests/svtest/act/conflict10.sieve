require ["fileinto","reject","vacation","ereject","copy"];
vacation "x";
vacation "y";
