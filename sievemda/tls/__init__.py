"""TLS as a server: `contexts` makes what the settings say, `channel` is one connection's, without a socket."""
