"""The LMTP edge (RFC 2033): sessions over aiosmtpd in, one reply per accepted recipient out.

`protocol` is the session, `parameters` what MAIL and RCPT say, `data` the octets of DATA, `replies` the one table from
outcomes to replies, `handler` the border to the synchronous code, `server` the connections of one process.
"""
