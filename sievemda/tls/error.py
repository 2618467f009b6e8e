"""What goes wrong with TLS; apart from the rest, which who has no certificate need not load."""


class TlsError(ConnectionError):
    """What came is not TLS, or not one that we speak; the connection is of no more use."""
