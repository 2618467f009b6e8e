"""The section of the settings tree about SASL: which mechanisms there are, and what they must know."""

from __future__ import annotations

from pathlib import Path

from sievemda.configfields import Seconds, Section, setting

__all__ = ["ALGORITHMS", "MECHANISMS", "OBSOLETE", "Sasl"]

# Every mechanism that can be offered, the strongest first, which is how they are told to clients.
MECHANISMS = (
    "EXTERNAL",
    "GSSAPI",
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1",
    "OAUTHBEARER",
    "XOAUTH2",
    "DIGEST-MD5",
    "CRAM-MD5",
    "PLAIN",
    "LOGIN",
)
OBSOLETE = ("DIGEST-MD5", "CRAM-MD5")  # RFC 6331; offered only where the settings name them
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"),
)


class Sasl(Section):
    """How clients of ManageSieve, and of LMTP over TCP, log in."""

    sasl_mech_list: tuple[str, ...] = setting(
        (),
        "Mechanisms that may be offered, separated by spaces; empty: all but CRAM-MD5 and DIGEST-MD5, which are weak"
        " and want a back end that keeps passwords in plain text.",
    )
    sasl_auto_transition: bool = setting(
        False,
        "Who has only a password hash here gets verifiers for SCRAM when he logs in with PLAIN; clients whose SCRAM"
        " fails are told that PLAIN may help.",
    )
    oauth2_keys: Path | None = setting(
        None,
        "File with the public keys, in PEM or as a JSON Web Key Set, of who issues tokens: with it OAUTHBEARER and"
        " XOAUTH2 take JSON Web Tokens.",
    )
    oauth2_algorithms: tuple[str, ...] = setting(
        ("RS256", "PS256", "ES256", "EdDSA"), "Algorithms by which those tokens may be signed."
    )
    oauth2_introspection_url: str = setting(
        "", "URL that says whether a token is valid (RFC 7662), for tokens that are not checked by oauth2_keys."
    )
    oauth2_introspection_auth: str = setting(
        "", "Who asks there: CLIENT:SECRET, or a bearer token without a colon.", secret=True
    )
    oauth2_timeout: Seconds = setting(Seconds(5), "How long it may take to answer.")
    oauth2_issuer: tuple[str, ...] = setting((), "Who may have issued a token (iss); empty: anybody whose keys fit.")
    oauth2_audience: tuple[str, ...] = setting(
        (), "For whom a token must be (aud), one of them; empty: only tokens that are for nobody in particular."
    )
    oauth2_scope: tuple[str, ...] = setting((), "Scopes that a token must have, all of them.")
    oauth2_username_claim: str = setting(
        "sub", "The claim of a token that names the user, for instance email or preferred_username."
    )
    oauth2_openid_configuration: str = setting(
        "", "URL that a client whose token is refused is told, to find out where he gets a better one (RFC 7628)."
    )
    gssapi_keytab: Path | None = setting(
        None,
        "File with the keys of our Kerberos principals, sieve/HOST and lmtp/HOST: with it GSSAPI is offered; wants"
        " sievemda[gssapi].",
    )
    gssapi_realms: tuple[str, ...] = setting(
        (), "Realms whose users are ours, by their names without the realm; empty: the realm of our own principal."
    )
