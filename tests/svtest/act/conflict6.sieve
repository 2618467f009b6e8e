require ["fileinto","reject","vacation","ereject","copy"];
reject "x";
redirect "a@b.example";
