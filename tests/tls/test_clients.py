"""Certificates of clients: who vouches for them, what they are for, and who is revoked. Both ends are in memory."""

import contextlib
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL

from sievemda.config import Lmtp
from sievemda.tls.channel import Channel
from sievemda.tls.contexts import contexts
from sievemda.tls.error import TlsError
from sievemda.tls.people import user_of

NOW = dt.datetime.now(dt.UTC)
KEY = ec.generate_private_key(ec.SECP256R1())  # everybody's
PEM = serialization.Encoding.PEM


def days(number):
    return NOW + dt.timedelta(days=number)


class Party:
    """Somebody with a certificate, who may vouch for others."""

    def __init__(self, name, issuer=None, *, authority=False, begin=-1, end=1, usage=None):
        self.key = ec.generate_private_key(ec.SECP256R1()) if authority else KEY
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        built = x509.CertificateBuilder().subject_name(self.name).issuer_name(signer.name)
        built = built.public_key(self.key.public_key()).serial_number(x509.random_serial_number())
        built = built.not_valid_before(days(begin)).not_valid_after(days(end))
        built = built.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        if usage is not None:
            built = built.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        self.certificate = built.sign(signer.key, hashes.SHA256())

    def revoked(self, *parties, end=1):
        """Its list of them, in PEM."""
        built = x509.CertificateRevocationListBuilder().issuer_name(self.name)
        built = built.last_update(days(-2)).next_update(days(end))
        for party in parties:
            entry = x509.RevokedCertificateBuilder().serial_number(party.certificate.serial_number)
            built = built.add_revoked_certificate(entry.revocation_date(days(-2)).build())
        return built.sign(self.key, hashes.SHA256()).public_bytes(PEM)


ROOT = Party("root", authority=True)
BRANCH = Party("branch", ROOT, authority=True)
ALICE, BOB = Party("alice", ROOT), Party("bob", BRANCH)


@pytest.fixture
def arrive(tmp_path):
    """Whom the server sees when a client has come with that certificate and those behind it."""
    paths = {name: tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem", "crl.pem")}
    paths["ca.pem"].write_bytes(ROOT.certificate.public_bytes(PEM))
    paths["cert.pem"].write_bytes(ALICE.certificate.public_bytes(PEM))
    form = serialization.PrivateFormat.PKCS8
    paths["key.pem"].write_bytes(KEY.private_bytes(PEM, form, serialization.NoEncryption()))

    def arrive(party, *behind, lists=b""):
        paths["crl.pem"].write_bytes(lists)
        settings = Lmtp(
            tls_server_cert=paths["cert.pem"],
            tls_server_key=paths["key.pem"],
            tls_client_ca_file=paths["ca.pem"],
            tls_client_certs="optional",
            tls_crl_file=paths["crl.pem"] if lists else None,
        )
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.use_certificate(party.certificate)
        context.use_privatekey(KEY)
        for one in behind:
            context.add_extra_chain_cert(one.certificate)
        made = contexts(settings, b"")
        channel, client = Channel(made.default), SSL.Connection(context, None)
        client.set_connect_state()
        while not shaken(client, channel):
            pass
        return user_of(channel.certificate(), "commonName")

    return arrive


def shaken(client, channel):
    """One round of the handshake; whether the server is content."""
    with contextlib.suppress(SSL.WantReadError):
        client.do_handshake()
    channel.feed(client.bio_read(1 << 16))
    done = channel.handshake()
    if said := channel.outgoing():
        client.bio_write(said)
    return done


@pytest.mark.parametrize(
    "party",
    [
        Party("usual", ROOT),
        Party("client", ROOT, usage=ExtendedKeyUsageOID.CLIENT_AUTH),
    ],
    ids=lambda party: party.name.rfc4514_string(),
)
def test_who_is_vouched_for_is_known(arrive, party):
    assert arrive(party) == party.name.rfc4514_string().removeprefix("CN=")


@pytest.mark.parametrize(
    "party",
    [
        Party("self"),
        Party("stranger", Party("root", authority=True)),
        Party("over", ROOT, begin=-9, end=-1),
        Party("early", ROOT, begin=1, end=9),
        Party("server", ROOT, usage=ExtendedKeyUsageOID.SERVER_AUTH),
        Party("writer", ROOT, usage=ExtendedKeyUsageOID.EMAIL_PROTECTION),
        Party("by nobody in particular", BRANCH),
        Party("by one who must not", ALICE),
    ],
    ids=lambda party: party.name.rfc4514_string(),
)
def test_who_is_not_vouched_for_does_not_get_in(arrive, party):
    with pytest.raises(TlsError):
        arrive(party)


def test_an_authority_in_between_vouches_for_its_own(arrive):
    assert arrive(BOB, BRANCH) == "bob"
    with pytest.raises(TlsError):
        arrive(Party("by one who must not", ALICE), ALICE)


LISTS = {
    "nobody": ROOT.revoked() + BRANCH.revoked(),
    "alice": ROOT.revoked(ALICE) + BRANCH.revoked(),
    "bob": ROOT.revoked() + BRANCH.revoked(BOB),
    "branch": ROOT.revoked(BRANCH) + BRANCH.revoked(),
    "not the branch's": ROOT.revoked(),
    "not the root's": BRANCH.revoked(),
    "over": ROOT.revoked(end=-1) + BRANCH.revoked(),
    "of others": Party("root", authority=True).revoked(),
}


@pytest.mark.parametrize(
    ("lists", "alice", "bob"),
    [
        ("nobody", True, True),
        ("alice", False, True),
        ("bob", True, False),
        ("branch", True, False),
        ("not the branch's", True, False),
        ("not the root's", False, True),
        ("over", False, False),
        ("of others", False, False),
    ],
)
def test_who_is_revoked_or_whose_authority_is_does_not_get_in(arrive, lists, alice, bob):
    """RFC 5280 §6.1.3: each certificate of the path."""
    for party, behind, right in ((ALICE, (), alice), (BOB, (BRANCH,), bob)):
        if right:
            assert arrive(party, *behind, lists=LISTS[lists]) == party.name.rfc4514_string()[3:]
        else:
            with pytest.raises(TlsError):
                arrive(party, *behind, lists=LISTS[lists])
