"""What is said of a certificate."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from bridge.core.network.certificate import described, ends

BEGIN = datetime(2026, 1, 2, tzinfo=UTC)


def der(*names: str) -> bytes:
    issued = trustme.CA(organization_name="Some CA").issue_cert(
        *names, not_before=BEGIN, not_after=BEGIN + timedelta(days=90)
    )
    return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())


def test_names_dates_and_issuer_are_said() -> None:
    assert described(der("a.example")) == (
        "it is for a.example, valid 2026-01-02 to 2026-04-02, issued by Some CA"
    )


def test_of_many_names_three_are_said() -> None:
    said = described(der("a.example", "b.example", "c.example", "d.example"))
    assert said is not None
    assert "for a.example, b.example, c.example, …, valid" in said


def test_a_long_name_is_cut() -> None:
    said = described(der(("a" * 60 + ".") * 3 + "example"))
    assert said is not None
    assert len(said) < 200


def test_what_is_no_certificate_is_not_described() -> None:
    assert described(b"0\x03\x02\x01\x01") is None


def test_a_file_ends_with_the_first_of_its_certificates() -> None:
    early, late = (datetime(2027, month, 1, tzinfo=UTC) for month in (1, 6))
    ca = trustme.CA()
    pems = [
        ca.issue_cert("x", not_after=end).cert_chain_pems[0].bytes()
        for end in (late, early)
    ]
    assert ends(b"".join(pems)) == early
    for garbage in (b"", b"garbage"):
        with pytest.raises(ValueError, match=r".+"):
            ends(garbage)
