# the require of the includer does not count here
fileinto "x";
