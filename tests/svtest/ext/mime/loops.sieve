require ["foreverypart", "include"];
foreverypart { foreverypart { foreverypart { foreverypart { keep; } } } }
foreverypart { include "inc_loop"; }
