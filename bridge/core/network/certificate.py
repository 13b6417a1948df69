"""What a certificate says of itself, in a sentence for people."""

from datetime import datetime

from cryptography import x509

_NAMES = 3
_LONGEST = 64


def described(der: bytes) -> str | None:
    """Return `it is for a.example, valid 2026-01-01 to 2026-04-01, issued by Some CA`.

    The certificate is the other side's word, so names are cut, and what is not plain ASCII
    is shown as `?`. None: it cannot be read.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        return (
            f"it is for {_names(certificate)}, "
            f"valid {_day(certificate.not_valid_before_utc)} "
            f"to {_day(certificate.not_valid_after_utc)}, "
            f"issued by {_plain(_issuer(certificate))}"
        )
    except ValueError:
        return None


def _names(certificate: x509.Certificate) -> str:
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return _plain(certificate.subject.rfc4514_string())
    names = [_plain(str(name.value)) for name in extension.value]
    more = ["…"] if len(names) > _NAMES else []
    return ", ".join(names[:_NAMES] + more)


def _issuer(certificate: x509.Certificate) -> str:
    wanted = (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME)
    for kind in wanted:
        for attribute in certificate.issuer.get_attributes_for_oid(kind):
            return str(attribute.value)
    return certificate.issuer.rfc4514_string()


def _plain(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text[:_LONGEST])


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def ends(pem: bytes) -> datetime:
    """Return the moment from which one of the certificates in a PEM file is no longer valid.

    Raises ValueError where there is none, or one that cannot be read.
    """
    return min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(pem))
