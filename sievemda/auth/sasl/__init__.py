"""SASL mechanisms (RFC 4422) as conversations without a socket: octets in, `Challenge`, `Accepted` or `Refused` out.

`offer` says which mechanisms there are for a client, and begins an exchange; each family of mechanisms has a module
of its own, which is loaded when one of them is begun. The protocol around does the base64 and the line ends, so the
same mechanisms serve ManageSieve and LMTP.
"""
