require ["fileinto"]; fileinto "INBOX";
