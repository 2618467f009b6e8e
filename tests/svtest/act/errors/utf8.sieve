require "fileinto";
fileinto "frÿþp";
