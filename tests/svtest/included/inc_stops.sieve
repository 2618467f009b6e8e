require ["include", "variables", "fileinto"];
global "trace";
fileinto "Stopped";
stop;
