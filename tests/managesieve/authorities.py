"""Certificates for one test run, made by an authority of ours."""

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_BEGIN = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
_END = _BEGIN + dt.timedelta(days=30)


class Authority:
    def __init__(self, name="An Authority"):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _subject({"commonName": name})
        built = self._builder(self._name, self._key.public_key())
        self._own = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
            self._key, hashes.SHA256()
        )

    def _builder(self, subject, key):
        built = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        return built.serial_number(x509.random_serial_number()).not_valid_before(_BEGIN).not_valid_after(_END)

    def write(self, path):
        path.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, directory, file, *, hosts=(), address="", password=b"", **subject):
        """Certificate and key in PEM, as FILE.crt and FILE.key."""
        key = ec.generate_private_key(ec.SECP256R1())
        built = self._builder(_subject(subject), key.public_key())
        names = [*map(x509.DNSName, hosts), *([x509.RFC822Name(address)] if address else [])]
        if names:
            built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
        locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        certificate, private = directory / f"{file}.crt", directory / f"{file}.key"
        issued = built.sign(self._key, hashes.SHA256())
        certificate.write_bytes(issued.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
        return certificate, private

    def revoke(self, certificate, path):
        """A list of what is revoked, with that certificate on it."""
        number = x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(_BEGIN).build()
        built = x509.CertificateRevocationListBuilder().issuer_name(self._name).last_update(_BEGIN).next_update(_END)
        found = built.add_revoked_certificate(entry).sign(self._key, hashes.SHA256())
        path.write_bytes(found.public_bytes(serialization.Encoding.PEM))
        return path


def _subject(parts):
    known = {"commonName": NameOID.COMMON_NAME, "uid": NameOID.USER_ID}
    return x509.Name([x509.NameAttribute(known[name], value) for name, value in parts.items()])
