require "fileinto";
fileinto "a"; fileinto "b"; fileinto "a"; fileinto "c";
