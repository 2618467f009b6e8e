require ["fileinto","variables","encoded-character"];
set "f" "${hex:ff fe}";
fileinto "x${f}";
