require ["fileinto","reject","vacation","variables","ereject","enotify","envelope"];
