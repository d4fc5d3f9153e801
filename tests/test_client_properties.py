"""Logins of Java clients: what is understood, what is refused, and that no secret gets out."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner import ScenarioError
from planner.sources.client_properties import login_of

SECRET = "s3cr3t-w0rd"  # noqa: S105 - what must not be seen
JAAS = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="admin" password="{}";'
# made for this test with openssl req -x509; it certifies nothing
PEM = Path(__file__).parent / "data" / "test_ca.pem"


def _sasl(**more: str) -> dict[str, str]:
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": JAAS.format(SECRET),
        **more,
    }


def test_scram_over_plain_text() -> None:
    login = login_of(_sasl())
    assert login.settings == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "admin",
        "sasl_plain_password": SECRET,
    }
    assert not login.tls


def test_no_secret_is_shown() -> None:
    login = login_of(_sasl())
    assert SECRET not in repr(login)
    assert SECRET not in str(login)


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ('x required username="a" password="b c";', "b c"),
        (r'x required username="a" password="q\"uote";', 'q"uote'),
        ("x required username=a password=bare;", "bare"),
        ("x required password='single' username='a';", "single"),
        ('x required\n  username="a"\n  password="lines" ;', "lines"),
    ],
)
def test_login_modules_as_people_write_them(text: str, password: str) -> None:
    login = login_of(_sasl(**{"sasl.jaas.config": text}))
    assert login.settings["sasl_plain_password"] == password
    assert login.settings["sasl_plain_username"] == "a"


def test_a_file_is_read_with_its_escapes(tmp_path: Path) -> None:
    path = tmp_path / "client.properties"
    path.write_text(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
        'sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\\n  username="u" \\\n'
        '  password="p";\n'
    )
    assert login_of(path).settings["sasl_plain_password"] == "p"  # noqa: S105


def test_tls_with_authorities_as_pem() -> None:
    login = login_of({"security.protocol": "SSL", "ssl.truststore.location": str(PEM), "ssl.truststore.type": "PEM"})
    context = login.settings["ssl_context"]
    assert login.tls
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) >= 1


def test_an_empty_algorithm_leaves_the_name_unchecked() -> None:
    login = login_of({"security.protocol": "SSL", "ssl.endpoint.identification.algorithm": ""})
    assert not login.settings["ssl_context"].check_hostname
    assert login.settings["ssl_context"].verify_mode == ssl.CERT_REQUIRED


def test_security_settings_without_use_are_named() -> None:
    login = login_of({"security.protocol": "SSL", "ssl.protocol": "TLSv1.3", "client.id": "me"})
    assert login.ignored == ("ssl.protocol",)


@pytest.mark.parametrize(
    ("pairs", "path", "word"),
    [
        ({"security.protocol": "TLS"}, "security.protocol", "SASL_SSL"),
        (_sasl(**{"sasl.mechanism": "GSSAPI"}), "sasl.mechanism", "PLAIN"),
        (_sasl(**{"sasl.jaas.config": "x required;"}), "sasl.jaas.config", "username"),
        ({"security.protocol": "SSL", "ssl.truststore.location": "a.jks"}, "ssl.truststore.type", "PEM"),
        (
            {"security.protocol": "SSL", "ssl.truststore.location": "/none.pem", "ssl.truststore.type": "PEM"},
            "ssl.truststore",
            "PEM",
        ),
        ({"security.protocol": "SSL", "ssl.keystore.location": "a.p12"}, "ssl.keystore.type", "PEM"),
        ({"security.protocol": "SSL", "ssl.truststore.certificates": "no PEM"}, "ssl.truststore", "PEM"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(pairs: dict[str, str], path: str, word: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        login_of(pairs)
    error = refused.value.errors[0]
    assert error.path == path
    assert word in error.allowed
    assert SECRET not in str([row.to_dict() for row in refused.value.errors])


@given(
    st.dictionaries(
        st.sampled_from(["security.protocol", "sasl.mechanism", "sasl.jaas.config", "ssl.truststore.certificates"]),
        st.text(max_size=60),
    )
)
def test_any_text_is_read_or_refused(pairs: dict[str, str]) -> None:
    try:
        login_of(pairs)
    except ScenarioError as error:
        assert error.errors  # noqa: PT017 - any other exception fails the test
