"""How artefacts are written so that no name in them acts: shell words, YAML scalars, Kubernetes names."""

from __future__ import annotations

import hashlib
import io
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import SafeRepresenter

import planner
from planner.reports.words import visible

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
# what YAML 1.1, which Kubernetes reads, takes for a switch or for nothing
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_NO_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST = 63  # characters of a label of Kubernetes
_SCRIPT = """\
#!/usr/bin/env bash
# {title}
{about}
# Set BOOTSTRAP to host:port of a broker; TLS and login stand in a file that COMMAND_CONFIG names.
set -euo pipefail
: "${{BOOTSTRAP:?Set BOOTSTRAP to host:port of a broker}}"

# Apache's archive ends the names of the tools with .sh, packages do not.
kafka() {{
    local tool=$1
    shift
    command -v "$tool" >/dev/null || tool=$tool.sh
    "$tool" --bootstrap-server "$BOOTSTRAP" ${{COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"}} "$@"
}}

"""


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file for operators, and what it is for."""

    name: str
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file, or a part of one, that this plan gives no ground for."""

    name: str
    reason: str


def made_for(name: str) -> str:
    """Which plan a file belongs to, on one line, in plain characters."""
    shown = visible(name).encode("ascii", "backslashreplace").decode("ascii")
    return f"Plan: {shown} (kafka-planner {planner.__version__})"


def script(name: str, about: Iterable[str], body: str) -> str:
    """A bash script; `about` becomes comments."""
    return _SCRIPT.format(title=made_for(name), about="\n".join(f"# {line}" for line in about)) + body


def word(text: str) -> str:
    """One word of the shell."""
    return shlex.quote(text)


def option(name: str, value: object) -> str:
    """An option with its value in one word, so that a value with a hyphen in front is no option."""
    return word(f"--{name}={value}")


class _Quoting(SafeRepresenter):
    """Quotes every text that a reader of YAML 1.1 could take for something else."""


def _text(representer: _Quoting, value: str) -> Any:
    safe = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return representer.represent_scalar("tag:yaml.org,2002:str", value, style=None if safe else '"')


_Quoting.add_representer(str, _text)


def yaml_of(name: str, documents: Iterable[Any]) -> str:
    """Documents of YAML that readers of YAML 1.1 and 1.2 understand alike."""
    writer = YAML(typ="safe")
    writer.Representer = _Quoting
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.width = 10_000  # a text stays on its line
    sheet = io.StringIO()
    for document in documents:
        sheet.write("---\n")
        writer.dump(document, sheet)
    return f"# {made_for(name)}\n{sheet.getvalue()}"


def slug(text: str, instead: str, longest: int) -> str:
    """A name that Kubernetes accepts, as near to the text as may be; not unique."""
    found = _NO_NAME.sub("-", text.lower()).strip("-")[:longest].rstrip("-")
    return found if found[:1].isalpha() else instead


def resource_name(text: str) -> str:
    """A name that Kubernetes accepts: the text where it is one, else as near as may be, with a digest of the text."""
    near = slug(text, "x", _LONGEST)
    if near == text:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{slug(text, 'x', _LONGEST - len(digest) - 1)}-{digest}"
