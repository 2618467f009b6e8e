"""ManageSieve (RFC 5804): `wire` is octets to lines, `reply` values to octets, `session` the state machine, `scripts`
what its commands do, `connection` and `server` the sockets. Only the last two know that there is a network.
"""
