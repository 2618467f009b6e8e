"""A ManageSieve client (RFC 5804), for our own shell and for probes; it talks to any server.

`wire` is octets to responses, `refusals` a response that is no OK as an error, `discovery` where a domain has its
server, `sasl` how one logs in, `tls` how the connection is protected, and `session` the commands. What a server says is
taken for hostile: every line, literal and wait has its bound, and nothing that came before TLS counts after it.

Why sockets that block: a person or a probe talks to one server at a time.
"""
