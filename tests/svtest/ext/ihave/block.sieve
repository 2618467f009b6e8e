require "ihave";
if not ihave "fileinto" { keep; }
nothing;
