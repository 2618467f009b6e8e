require "fileinto"; if true { stop; } fileinto "Nope";
