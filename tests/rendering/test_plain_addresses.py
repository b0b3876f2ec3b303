"""What is read of a plain address is what the library reads of it."""

from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as st

from nurture.rendering.headers import _PLAIN, address

_LOCAL = st.from_regex(r"[A-Za-z0-9_%+.-]{1,66}", fullmatch=True)
_DOMAIN = st.from_regex(r"([A-Za-z0-9-]{1,8}\.){1,3}[A-Za-z]{2,6}", fullmatch=True)


@given(_LOCAL, _DOMAIN)
def test_a_plain_address_is_read_as_the_library_reads_it(local: str, domain: str) -> None:
    email = f"{local}@{domain}"
    if _PLAIN.fullmatch(email) is None or len(local) > 64 or "--" in domain:
        return
    checked = validate_email(
        email, check_deliverability=False, globally_deliverable=False, test_environment=True
    )
    found = address("", email)
    assert (found.username, found.domain) == (checked.local_part, checked.ascii_domain)
