require ["fileinto"]; fileinto "Work";
