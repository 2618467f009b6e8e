require ["vacation","fileinto"];
vacation "x";
keep;
fileinto "A";
redirect "a@example.com";
discard;
