require ["foreverypart", "include"];
foreverypart { foreverypart { foreverypart { foreverypart { include "inc_loop"; } } } }
