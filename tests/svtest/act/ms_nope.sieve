require "fileinto"; fileinto "Nope";
