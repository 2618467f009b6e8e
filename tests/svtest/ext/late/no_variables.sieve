require ["fileinto"];
if header :contains "subject" "${x}" { fileinto "wrong"; }
fileinto "${33}";
fileinto "${hex:zz}";
