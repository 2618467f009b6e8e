require ["include", "fileinto"];
include :optional "inc_there_is_none";
include :optional :global "inc_there_is_none";
include :global :optional :once "inc_there_is_none";
include :optional "inc_file";
