require ["fileinto","reject"]; fileinto "Work";
