require ["fileinto","reject","vacation","ereject","copy"];
redirect :copy "a@b.example";
ereject "x";
