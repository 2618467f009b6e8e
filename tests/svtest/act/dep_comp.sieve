require ["comparator-i;octet","comparator-i;ascii-casemap","fileinto","envelope","encoded-character"];
keep;
