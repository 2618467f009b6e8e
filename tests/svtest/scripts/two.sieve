require ["fileinto", "copy"];
fileinto :copy "Work";
redirect :copy "else@where.example";
