"""What the project asks of every constant, formula, module and file; each check is shown to fail on a bad sample."""

from __future__ import annotations

import ast
import datetime as dt
import doctest
import importlib
import inspect
import math
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import tomllib
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import planner.model
from planner.constants import data_path, sources
from planner.trace import Formula, formula_of, registry

ROOT = Path(__file__).resolve().parent.parent
CONSTANT_KEYS = {"value", "unit", "low", "high", "source", "as_of", "applies_to", "confidence", "note"}
OPTIONAL_KEYS = {"confidence", "note"}
# the longest suffix that fits decides; a name with two rates in it is a coefficient and only needs some unit
UNITS = {
    "_bytes_per_s": {"bytes/s"},
    "_per_s": {"1/s"},
    "_bytes": {"bytes"},
    "_fraction": {"fraction", "-"},
    "_s": {"s"},
}
SECTIONS = ("Parameters", "Returns", "Assumptions", "Validity", "Examples", "References")
NAMES: dict[str, Any] = {
    "min": np.minimum,
    "max": np.maximum,
    "ceil": np.ceil,
    "floor": np.floor,
    "where": np.where,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "log": np.log,
    "gcd": np.gcd,
    "sum": np.sum,
    "abs": np.abs,
}


def modules() -> list[types.ModuleType]:
    found = pkgutil.walk_packages(planner.model.__path__, "planner.model.")
    return [importlib.import_module(module.name) for module in found]


def public_functions() -> list[Callable[..., Any]]:
    return [
        function
        for module in modules()
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == module.__name__
    ]


FUNCTIONS = public_functions()
FORMULAS = [function for function in FUNCTIONS if function.__name__ in registry()]


def name_of(function: Callable[..., Any]) -> str:
    return f"{function.__module__.removeprefix('planner.model.')}.{function.__name__}"


def constant_faults(row: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    faults = [f"no {key}" for key in sorted(CONSTANT_KEYS - OPTIONAL_KEYS - row.keys())]
    faults += [f"unknown key {key}" for key in sorted(row.keys() - CONSTANT_KEYS)]
    if faults:
        return faults
    numbers = [row[key] for key in ("low", "value", "high")]
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
        faults.append("value, low and high must be numbers")
    elif not all(map(math.isfinite, numbers)) or numbers != sorted(numbers):
        faults.append(f"not finite, or not low <= value <= high: {numbers}")
    faults += [f"empty {key}" for key in ("unit", "applies_to") if not row[key].strip()]
    if row["source"] not in known:
        faults.append(f"source {row['source']} is not in data/sources.toml")
    if row.get("confidence", "high") not in {"high", "medium", "low"}:
        faults.append(f"confidence {row['confidence']}")
    return faults + date_faults(row["as_of"])


def date_faults(text: Any) -> list[str]:
    try:
        dt.date.fromisoformat(text)
    except (TypeError, ValueError):
        return [f"as_of {text!r} is not a date"]
    return []


def constant_rows() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in sorted(data_path("constants").glob("*.toml")):
        for key, row in tomllib.loads(path.read_text(encoding="utf-8")).items():
            yield path.name, key, row


def test_every_constant_is_sourced_and_in_its_range() -> None:
    rows = list(constant_rows())
    assert rows
    faults = {f"{file} {key}": found for file, key, row in rows if (found := constant_faults(row, sources()))}
    assert not faults


def test_no_constant_is_defined_twice() -> None:
    names = [key for _, key, _ in constant_rows()]
    assert len(names) == len(set(names))


def test_every_source_says_where_and_when() -> None:
    faults = {}
    for key, source in sources().items():
        found = date_faults(source.as_of)
        found += [] if source.title.strip() else ["no title"]
        if not re.match(r"https?://[\w.-]+", source.url) and not re.match(r"[\w./-]+$", source.url):
            found.append(f"url {source.url!r}")
        if found:
            faults[key] = found
    assert not faults


GOOD_ROW = {
    "value": 300,
    "unit": "s",
    "low": 300,
    "high": 300,
    "source": "a-source",
    "as_of": "2026-11-23",
    "applies_to": "Kafka 4.3",
}


def test_the_constant_check_accepts_a_good_row() -> None:
    assert constant_faults(GOOD_ROW, {"a-source": None}) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"source": None}, "no source"),
        ({"unit": None}, "no unit"),
        ({"as_of": None}, "no as_of"),
        ({"source": "nowhere"}, "not in data/sources.toml"),
        ({"value": 301}, "not low <= value <= high"),
        ({"high": math.inf}, "not finite"),
        ({"value": True}, "must be numbers"),
        ({"unit": " "}, "empty unit"),
        ({"as_of": "last year"}, "not a date"),
        ({"confidence": "very"}, "confidence very"),
        ({"colour": "red"}, "unknown key colour"),
    ],
)
def test_the_constant_check_finds(change: dict[str, Any], fault: str) -> None:
    row = {key: value for key, value in {**GOOD_ROW, **change}.items() if value is not None}
    assert any(fault in found for found in constant_faults(row, {"a-source": None}))


def sections(function: Callable[..., Any]) -> dict[str, str]:
    """The numpydoc sections of the docstring; the text before the first is under the empty name."""
    parts = re.split(r"^([A-Z]\w+)\n-{3,}$", inspect.getdoc(function) or "", flags=re.MULTILINE)
    return {
        "": parts[0].strip(),
        **{name: text.strip("\n") for name, text in zip(parts[1::2], parts[2::2], strict=True)},
    }


def entries(section: str) -> dict[str, str]:
    """Name to description of a Parameters or Returns section."""
    found: dict[str, str] = {}
    for line in section.splitlines():
        if line and not line.startswith(" "):
            name = line.split(":")[0].strip()
            found[name] = ""
        elif found:
            found[name] += " " + line.strip()
    return found


def unit_fault(name: str, text: str) -> str | None:
    """Why the unit in brackets in `text` does not suit `name`."""
    units = re.findall(r"\[([^\[\]]+)\]", text)
    if not units:
        return f"{name} has no unit in brackets"
    if name.count("_per_") > 1:
        return None
    for suffix, allowed in UNITS.items():
        if f"_{name}".endswith(suffix):
            return None if allowed & set(units) else f"{name} has unit {units}, its suffix says {sorted(allowed)}"
    return None


def docstring_faults(function: Callable[..., Any], rule: Formula | None, known: Mapping[str, Any]) -> list[str]:
    text = sections(function)
    faults = [] if text[""] else ["no summary"]
    faults += [f"no section {name}" for name in SECTIONS if not text.get(name, "").strip()]
    if faults:
        return faults
    parameters = entries(text["Parameters"])
    asked = list(inspect.signature(function).parameters)
    if list(parameters) != asked:
        faults.append(f"Parameters lists {list(parameters)}, the function has {asked}")
    faults += [fault for name, entry in parameters.items() if (fault := unit_fault(name, entry))]
    returned = " ".join(entries(text["Returns"]).values())
    if fault := unit_fault(function.__name__, returned):
        faults.append(f"Returns: {fault}")
    if rule and f"[{rule.unit}]" not in returned:
        faults.append(f"Returns does not name the formula's unit [{rule.unit}]")
    if ">>>" not in text["Examples"]:
        faults.append("Examples has no doctest")
    cited = set(re.split(r"[\s,]+", text["References"].strip()))
    faults += [f"reference {name} is not in data/sources.toml" for name in sorted(cited - known.keys())]
    if rule and rule.source not in cited:
        faults.append(f"References does not name the formula's source {rule.source}")
    return faults


def example_calls(function: Callable[..., Any]) -> list[dict[str, Any]]:
    """The arguments of every call of `function` in its own examples."""
    space = dict(vars(sys.modules[function.__module__]))
    signature = inspect.signature(function)
    calls = []
    for example in doctest.DocTestParser().get_examples(inspect.getdoc(function) or ""):
        tree = ast.parse(example.source)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function.__name__:
                given: dict[str, Any] = {}
                for word in node.keywords:
                    value = eval(compile(ast.Expression(word.value), "<example>", "eval"), space)  # noqa: S307 - our own docstring
                    given |= {word.arg: value} if word.arg else value
                bound = signature.bind(**given)
                bound.apply_defaults()
                calls.append(dict(bound.arguments))
        exec(compile(tree, "<example>", "exec"), space)  # noqa: S102 - our own docstring; later examples may need its names
    return calls


def evaluate(expression: str, arguments: Mapping[str, Any], helpers: Mapping[str, Any]) -> Any:
    """The value of a formula's expression: no builtins, only arithmetic, the model's functions and the arguments."""
    space = {**helpers, **NAMES, **arguments, "__builtins__": {}}
    return eval(compile(expression, "<formula>", "eval"), space)  # noqa: S307 - our own formula


def expression_faults(function: Callable[..., Any], expression: str) -> list[str]:
    module = vars(sys.modules[function.__module__])
    helpers = {name: value for name, value in module.items() if inspect.isfunction(value) or name.isupper()}
    calls = example_calls(function)
    faults = [] if calls else ["no example calls the function with keywords"]
    for arguments in calls:
        theirs, ours = evaluate(expression, arguments, helpers), function(**arguments)
        if not np.allclose(np.asarray(theirs, float), np.asarray(ours, float), rtol=1e-12, atol=0, equal_nan=False):
            faults.append(f"{expression} gives {theirs}, the function {ours}, for {arguments}")
    return faults


def test_the_model_has_functions() -> None:
    assert len(FORMULAS) > 10


@pytest.mark.parametrize("function", FUNCTIONS, ids=name_of)
def test_every_model_function_says_its_units_and_sources(function: Callable[..., Any]) -> None:
    rule = registry().get(function.__name__)
    assert docstring_faults(function, rule, sources()) == []


@pytest.mark.parametrize("function", FORMULAS, ids=name_of)
def test_every_formula_is_sourced(function: Callable[..., Any]) -> None:
    rule = formula_of(function)
    assert rule.module == function.__module__
    assert rule.source in sources()
    assert rule.confidence in {"high", "medium", "low"}
    assert rule.unit
    assert all(
        parameter.kind is inspect.Parameter.KEYWORD_ONLY
        for parameter in inspect.signature(function).parameters.values()
    )


@pytest.mark.parametrize("function", FORMULAS, ids=name_of)
def test_every_expression_is_what_the_function_computes(function: Callable[..., Any]) -> None:
    assert expression_faults(function, formula_of(function).expression) == []


def load_bytes_per_s(*, records_per_s: float, record_bytes: float) -> float:
    """Load as a sample of a good docstring.

    Parameters
    ----------
    records_per_s
        Records [1/s], >= 0.
    record_bytes
        Size [bytes], > 0.

    Returns
    -------
    float
        Load [bytes/s].

    Assumptions
    -----------
    None.

    Validity
    --------
    Any.

    Examples
    --------
    >>> load_bytes_per_s(records_per_s=10, record_bytes=20)
    200

    References
    ----------
    a-source
    """
    return records_per_s * record_bytes


def sample(old: str, new: str) -> Callable[..., Any]:
    """`load_bytes_per_s` with one thing in its docstring replaced."""
    copy = types.FunctionType(load_bytes_per_s.__code__, globals(), load_bytes_per_s.__name__)
    copy.__kwdefaults__, copy.__annotations__ = load_bytes_per_s.__kwdefaults__, load_bytes_per_s.__annotations__
    text = inspect.getdoc(load_bytes_per_s) or ""
    assert old in text
    copy.__doc__ = text.replace(old, new)
    return copy


RULE = Formula("load_bytes_per_s", __name__, "", "records_per_s * record_bytes", "bytes/s", "a-source", "high")


def test_the_docstring_check_accepts_a_good_function() -> None:
    assert docstring_faults(load_bytes_per_s, RULE, {"a-source": None}) == []
    assert expression_faults(load_bytes_per_s, RULE.expression) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("Records [1/s]", "Records", "records_per_s has no unit"),
        ("Size [bytes]", "Size [s]", "record_bytes has unit"),
        ("Load [bytes/s]", "Load [bytes]", "Returns"),
        ("record_bytes\n    Size", "size\n    Size", "Parameters lists"),
        ("a-source", "nowhere", "reference nowhere"),
        ("a-source", "other-source", "formula's source"),
        (">>> ", "", "no doctest"),
        ("Validity\n", "Range\n", "no section"),
        ("Assumptions\n-----------\nNone.\n", "", "no section Assumptions"),
        ("References\n----------\na-source", "", "no section References"),
    ],
)
def test_the_docstring_check_finds(old: str, new: str, fault: str) -> None:
    found = docstring_faults(sample(old, new), RULE, {"a-source": None, "other-source": None})
    assert any(fault in one for one in found), found


def test_the_docstring_check_finds_a_missing_docstring() -> None:
    bare = sample("Load", "Load")
    bare.__doc__ = None
    assert docstring_faults(bare, RULE, {"a-source": None})


def test_the_expression_check_finds_another_formula() -> None:
    assert expression_faults(load_bytes_per_s, "records_per_s + record_bytes")
    assert expression_faults(load_bytes_per_s, "records_per_s * record_bytes * (1 + 1e-11)")


def test_an_expression_reaches_nothing_but_its_names() -> None:
    with pytest.raises(NameError):
        evaluate("__import__('os')", {}, {})


HEAVY = ("altair", "pandas", "scipy.stats", "streamlit")


def test_import_planner_loads_nothing_heavy() -> None:
    code = f"import sys, planner; assert planner.__file__; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("units.py", "import planner.sizing", "A module imports only downwards"),
        ("model/traffic.py", "import pandas", "The model is numbers in, numbers out"),
        ("scenario.py", "import streamlit", "Nothing that computes knows the app"),
    ],
)
def test_the_layer_check_finds(module: str, line: str, broken: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "planner", tmp_path / "planner", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "planner" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{broken} BROKEN" in " ".join(done.stdout.split())


def tracked_text() -> Iterator[tuple[str, str]]:
    """Path and text of every file that is committed, or would be."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
        path = ROOT / name
        if name and path.is_file() and b"\0" not in (content := path.read_bytes()):
            yield name, content.decode("utf-8", errors="replace")


def registry_hosts(configuration: str) -> set[str]:
    """The hosts of the addresses in pip's configuration; a name without a dot is a word like any other."""
    hosts = re.findall(r"https?://(?:[^@/\s']*@)?([^/:\s']+)", configuration)
    return {host for host in hosts if "." in host and not re.fullmatch(r"127[.\d]+", host)}


def machine_folders() -> set[str]:
    """Where this checkout and its user live, as far as the name says something about this machine."""
    common = {
        Path("/", *parts) for parts in ((), ("home",), ("opt",), ("srv",), ("usr",), ("var",), ("mnt",), ("data",))
    }
    common |= {Path(tempfile.gettempdir()), Path("/tmp")}  # noqa: S108 - compared with, never written to
    return {f"{folder}/" for folder in {ROOT, ROOT.parent, Path.home()} - common}


def naming(words: set[str], texts: Mapping[str, str]) -> list[str]:
    """The files that hold one of the words; the words themselves are not repeated."""
    patterns = [re.compile(rf"(?<![\w.-]){re.escape(word)}") for word in words]
    return [name for name, text in texts.items() if any(pattern.search(text) for pattern in patterns)]


def test_no_file_names_a_registry_or_a_folder_of_this_machine() -> None:
    ask = "from pip._internal.models.index import PyPI; print(PyPI.url, 'https://' + PyPI.file_storage_domain)"
    configuration = "".join(
        subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True).stdout
        for arguments in (("-m", "pip", "config", "list"), ("-c", ask))
    )
    hosts = registry_hosts(configuration)
    assert hosts
    texts = dict(tracked_text())
    assert "pyproject.toml" in texts
    assert naming(hosts | machine_folders(), texts) == []


def test_the_file_check_finds_hosts_and_folders() -> None:
    configuration = "global.index-url='https://user:secret@wheels.example.org:8080/simple'\nother='http://127.0.0.1/x'"
    assert registry_hosts(configuration) == {"wheels.example.org"}
    texts = {
        "lock": "url = https://wheels.example.org/numpy.whl",
        "note": "/somewhere/else/file",
        "good": "wheels, example",
    }
    assert naming({"wheels.example.org", "/somewhere/else/"}, texts) == ["lock", "note"]


def test_constraints_pin_by_name_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9A-Za-z.+!]+", line)] == []


def test_the_version_is_the_same_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {planner.__version__}\n" in citation


def test_a_skipped_test_fails_where_none_may_be(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent("""
        import socket
        import pytest

        def test_skipped():
            pytest.skip("for the sample")

        def test_network():
            with socket.socket() as one, pytest.raises(RuntimeError, match="reached for the network"):
                one.connect(("192.0.2.1", 80))
        """)
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
    codes = [
        subprocess.run([*command, *more], cwd=tmp_path, env=environment, capture_output=True, check=False).returncode
        for more in ([], ["--no-skips"])
    ]
    assert codes == [0, 1]
