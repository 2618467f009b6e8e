require ["variables", "encoded-character", "fileinto"];
set "x" "${hex:FF}";
fileinto "a${x}b";
