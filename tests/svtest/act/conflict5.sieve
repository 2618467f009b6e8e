require ["fileinto","reject","vacation","ereject","copy"];
redirect "a@b.example";
reject "x";
