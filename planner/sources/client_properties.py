"""How a Java client's properties file says that one logs in, in the words of kafka-python.

Secrets stay inside: no `repr` shows them, no error repeats the value of a key that may hold one.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.fields import InputError, ScenarioError, nearest, shorten
from planner.properties import read_properties

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_WORD = r'"(?P<double>(?:[^"\\]|\\.)*)"|\'(?P<single>(?:[^\'\\]|\\.)*)\'|(?P<bare>[^\s;"\']+)'
_OPTION = re.compile(rf"(?P<key>[A-Za-z0-9_.]+)\s*=\s*(?:{_WORD})")
_KNOWN = (
    "security.protocol", "sasl.mechanism", "sasl.jaas.config", "ssl.truststore.location", "ssl.truststore.type",
    "ssl.truststore.certificates", "ssl.truststore.password", "ssl.ca.location", "ssl.keystore.location",
    "ssl.keystore.type", "ssl.keystore.password", "ssl.key.password", "ssl.endpoint.identification.algorithm",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Login:
    """How to reach the brokers: arguments for the client, and the keys of the file that were not used."""

    protocol: str = "PLAINTEXT"
    ignored: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def tls(self) -> bool:
        """Whether the client speaks TLS to the brokers."""
        return self.protocol.endswith("SSL")


def login_of(properties: Path | Mapping[str, str] | None) -> Login:
    """Read what a Java client would be configured with.

    Parameters
    ----------
    properties
        A properties file, or its pairs; None is a connection without encryption and password.

    Returns
    -------
    Login
        What kafka-python needs, and the names of security settings that it has no use for.

    Raises
    ------
    ScenarioError
        With everything that is not supported or missing.

    Examples
    --------
    >>> login_of({"security.protocol": "SSL", "ssl.cipher.suites": "TLS_AES_128_GCM_SHA256"})
    Login(protocol='SSL', ignored=('ssl.cipher.suites',))
    """
    if properties is None:
        return Login()
    if isinstance(properties, Path):
        pairs = read_properties(properties, "command config", with_secrets=True)
    else:
        pairs = {str(key): str(value) for key, value in properties.items()}
    errors: list[InputError] = []
    protocol = _word(pairs, "security.protocol", PROTOCOLS, "PLAINTEXT", errors)
    settings: dict[str, Any] = {"security_protocol": protocol}
    if protocol.startswith("SASL"):
        settings |= _sasl(pairs, errors)
    if protocol.endswith("SSL"):
        settings |= _tls(pairs, errors)
    if errors:
        raise ScenarioError(errors)
    secure = ("sasl.", "ssl.", "security.")
    ignored = sorted(key for key in pairs if key.startswith(secure) and key not in _KNOWN)
    return Login(protocol, tuple(str(shorten(key)) for key in ignored), settings)


def _word(pairs: Mapping[str, str], key: str, words: tuple[str, ...], default: str, errors: list[InputError]) -> str:
    word = pairs.get(key, default).strip().upper()
    if word in words:
        return word
    errors.append(InputError(key, shorten(word), "This is not supported.", ", ".join(words), nearest(word, words)))
    return default


def _sasl(pairs: Mapping[str, str], errors: list[InputError]) -> dict[str, Any]:
    mechanism = _word(pairs, "sasl.mechanism", MECHANISMS, "", errors)
    given = {match["key"]: _value(match) for match in _OPTION.finditer(pairs.get("sasl.jaas.config", ""))}
    if not {"username", "password"} <= given.keys():
        message = "A login needs username and password here."
        allowed = 'a login module with username="..." password="..."'
        errors.append(InputError("sasl.jaas.config", None, message, allowed))
        return {}
    return {
        "sasl_mechanism": mechanism,
        "sasl_plain_username": given["username"],
        "sasl_plain_password": given["password"],
    }


def _value(match: re.Match[str]) -> str:
    if match["bare"] is not None:
        return match["bare"]
    quoted = match["double"] if match["double"] is not None else match["single"]
    return re.sub(r"\\(.)", r"\1", quoted)


def _tls(pairs: Mapping[str, str], errors: list[InputError]) -> dict[str, Any]:
    """A context for TLS: certificates as PEM, which is the only form that Python reads."""
    context = ssl.create_default_context()
    algorithm = pairs.get("ssl.endpoint.identification.algorithm", "https").strip().lower()
    if algorithm not in ("", "https"):
        errors.append(InputError("ssl.endpoint.identification.algorithm", shorten(algorithm), "Unknown.", "https"))
    context.check_hostname = bool(algorithm)
    trusted = _pem_file(pairs, "ssl.truststore", errors) or pairs.get("ssl.ca.location")
    try:
        if trusted or pairs.get("ssl.truststore.certificates"):
            context.load_verify_locations(cafile=trusted, cadata=pairs.get("ssl.truststore.certificates"))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        errors.append(_unreadable("ssl.truststore", error))
    own = _pem_file(pairs, "ssl.keystore", errors)
    try:
        if own:
            # an empty password, or OpenSSL would ask for one on the terminal
            context.load_cert_chain(own, password=pairs.get("ssl.key.password", ""))
    except (OSError, ValueError) as error:
        errors.append(_unreadable("ssl.keystore", error))
    return {"ssl_context": context}


def _pem_file(pairs: Mapping[str, str], key: str, errors: list[InputError]) -> str | None:
    location = pairs.get(f"{key}.location")
    kind = pairs.get(f"{key}.type", "PEM" if location and location.endswith((".pem", ".crt")) else "JKS").upper()
    if location and kind != "PEM":
        message = "Only certificates as PEM can be read here."
        allowed = "PEM; convert with keytool -exportcert -rfc, or openssl pkcs12 -nodes"
        errors.append(InputError(f"{key}.type", shorten(kind), message, allowed))
        return None
    return location


def _unreadable(key: str, error: Exception) -> InputError:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "not PEM"
    return InputError(key, None, f"The certificates cannot be read: {shorten(str(reason))}.", "a PEM file")
