"""The user whom a client's certificate names. RFC 4422 (appendix A) leaves to the server how."""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import NameOID

_ATTRIBUTES = {"commonName": NameOID.COMMON_NAME, "uid": NameOID.USER_ID}


def user_of(certificate: x509.Certificate, field: str) -> str:
    """What stands in `field`: commonName or uid of the subject, or email, its first address; empty without one.

    Of several common names the last is taken, which is the most special.
    """
    if field != "email":
        found = certificate.subject.get_attributes_for_oid(_ATTRIBUTES[field])
        return str(found[-1].value) if found else ""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    addresses = names.get_values_for_type(x509.RFC822Name)
    return addresses[0] if addresses else ""
