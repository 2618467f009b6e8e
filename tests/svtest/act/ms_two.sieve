require ["fileinto"]; fileinto "Two";
