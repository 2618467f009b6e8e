require "foreverypart";
foreverypart { keep; }
