require ["variables","include","fileinto"]; global "g"; if anyof(string "${g}" "value", string "${v}" "value") { fileinto "Work"; }
