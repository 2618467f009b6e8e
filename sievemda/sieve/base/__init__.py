"""RFC 5228 itself, said in the same words as an extension.

i;unicode-casemap is there without `require` as it is in Pigeonhole, although RFC 5228 §2.7.3 wants it declared: a
script that does so is accepted too.
"""

from sievemda.sieve.base.actions import DiscardCommand, Keep, RedirectCommand
from sievemda.sieve.base.control import Else, Elsif, If, Require, StopCommand
from sievemda.sieve.base.tests import AddressTest, AllOf, AnyOf, Exists, FalseTest, HeaderTest, Not, Size, TrueTest
from sievemda.sieve.extensions.unicode_casemap import UnicodeCasemap
from sievemda.sieve.matching import ALL, ASCII_CASEMAP, CONTAINS, DOMAIN, IS, LOCALPART, MATCHES, OCTET
from sievemda.sieve.vocabulary import BASE, Extension

BASE_LANGUAGE = Extension(
    BASE,
    "RFC 5228",
    commands=(Require, If, Elsif, Else, StopCommand, Keep, DiscardCommand, RedirectCommand),
    tests=(AddressTest, AllOf, AnyOf, Exists, FalseTest, HeaderTest, Not, Size, TrueTest),
    match_types=(IS, CONTAINS, MATCHES),
    comparators=(OCTET, ASCII_CASEMAP, UnicodeCasemap()),
    address_parts=(ALL, LOCALPART, DOMAIN),
)

EXTENSIONS = (BASE_LANGUAGE,)
