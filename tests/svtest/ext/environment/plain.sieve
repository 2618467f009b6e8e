require ["environment", "fileinto"];
fileinto "${env.location}";
