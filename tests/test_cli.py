"""The command: what it prints, its exit status, and that no input makes it fail in another way."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import planner
from planner import cli as module
from planner.constants import data_path, resource_root
from planner.units import format_quantity

ROOT = Path(__file__).resolve().parent.parent
ESCAPE = "\x1b"
HOSTILE = """\
name: "[bold red]x[/] | `a` <script>alert(1)</script>"
topics:
  - name: -orders
    records_per_s: 100/s
    retention: {time: 3d}
    labels: {"=cmd": "@SUM(1)"}
    consumers: [{group: "[red]=HYPERLINK(1)", members: 3}]
cluster: {mirror: [{to: "[link=http://x]y[/link]", bandwidth: 1kB/s}]}
"""
SMALL = "topics: [{name: orders, records_per_s: 10k/s, record: {value_bytes: 1000}, batch: {records: 20}}]\n"
BAD = """\
topics:
  - {name: orders, records_per_s: 12 bananas}
  - {name: clicks, records_per_s: 10/s, replication_factor: 2, min_insync_replicas: 3, retentoin: 3d}
"""


def run(*arguments: str, stdin: str | None = None) -> Result:
    environment: Mapping[str, str | None] = {"FORCE_COLOR": None, "NO_COLOR": None, "COLUMNS": None}
    return CliRunner().invoke(module.cli, list(arguments), input=stdin, env=environment)


def command(arguments: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    environment.pop("FORCE_COLOR", None)
    run_it = [sys.executable, "-m", "planner.cli", *arguments]
    return subprocess.run(run_it, capture_output=True, text=True, check=False, env=environment, **options)


@pytest.fixture(scope="module")
def ecommerce() -> planner.Plan:
    return planner.plan(planner.load("preset:ecommerce"))


# plan


def test_the_text_starts_with_the_answer_and_holds_every_part(ecommerce: planner.Plan) -> None:
    done = run("plan", "preset:ecommerce")
    assert done.exit_code == 0
    assert done.stdout.split("\n")[: len(ecommerce.headline)] == list(ecommerce.headline)
    titles = ["Loads per state", "Verdict per resource", "Topics", "Findings", "Assumptions"]
    places = [done.stdout.index(f"\n{title}\n") for title in titles]
    assert places == sorted(places)
    assert not done.stderr


def test_the_text_states_loads_side_by_side(ecommerce: planner.Plan) -> None:
    healthy = ecommerce.states["healthy"]
    assert healthy.per_broker is not None
    assert healthy.fullest is not None
    mean, fullest = (
        format_quantity(part["network_out_bytes_per_s"], "bytes_per_s")
        for part in (healthy.per_broker, healthy.fullest)
    )
    (row,) = re.findall(r"^network out .*/.*$", run("plan", "preset:ecommerce").stdout, re.MULTILINE)
    assert f"{mean.split(' ')[0]} / {fullest}" in row


def test_json_is_the_plan_itself(ecommerce: planner.Plan) -> None:
    done = run("plan", "preset:ecommerce", "--format", "json")
    assert json.loads(done.stdout) == json.loads(json.dumps(ecommerce.to_dict()))
    named = {step["name"] for step in json.loads(done.stdout)["trace"]}
    assert not any(name.startswith("topics.") for name in named)


def test_topic_traces_come_when_asked_for(ecommerce: planner.Plan) -> None:
    done = run("plan", "preset:ecommerce", "--format", "json", "--topic-traces")
    assert json.loads(done.stdout) == json.loads(json.dumps(ecommerce.to_dict(topic_traces=True)))


def test_csv_is_the_table_of_topics(ecommerce: planner.Plan) -> None:
    rows = list(csv.DictReader(io.StringIO(run("plan", "preset:ecommerce", "--format", "csv").stdout)))
    assert [row["topic"] for row in rows] == list(ecommerce.topics)
    for row, topic in zip(rows, ecommerce.topics.values(), strict=True):
        assert int(row["partitions"]) == topic.partitions
        assert float(row["disk_bytes_worst"]) == topic.disk_bytes_worst
        assert not row["partitions_for_growth"]  # no growth: an empty cell, neither nan nor None


def test_every_topic_and_every_assumption_can_be_listed(ecommerce: planner.Plan) -> None:
    text = run("plan", "preset:ecommerce", "--assumptions").stdout
    for name in [*ecommerce.topics, *(row.id for row in ecommerce.assumptions)]:
        assert re.search(rf"^{re.escape(name)} ", text, re.MULTILINE), name


def test_a_change_of_one_input() -> None:
    once = json.loads(run("plan", "preset:ecommerce", "--format", "json").stdout)
    changed = run("plan", "preset:ecommerce", "--format", "json", "--set", "topics.*.retention.time=14d")
    assert json.loads(changed.stdout)["cluster"]["disk_bytes"] > 1.9 * once["cluster"]["disk_bytes"]


def test_standard_input() -> None:
    source = data_path("presets", "fintech.yaml").read_text(encoding="utf-8")
    assert run("plan", "-", stdin=source).stdout == run("plan", "preset:fintech").stdout


# --explain


EXPLAINED = ["network_out", "disk_bytes", "brokers.count", "topics.orders.partitions_for_produce", "cpu"]


@pytest.mark.parametrize("name", EXPLAINED)
def test_explain_shows_formula_numbers_value_and_source(name: str, ecommerce: planner.Plan) -> None:
    done = run("plan", "preset:ecommerce", "--explain", name)
    step = ecommerce.explain(name)
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{name} = ")
    lines = dict(re.findall(r"^ {2}(\w+) {2,}(.*)$", done.stdout, re.MULTILINE))
    assert lines["formula"] == step.expression
    assert lines["numbers"] == step.substituted
    value, unit = lines["raw"].split(" ")
    assert (float(value), unit) == (step.value, step.unit)
    assert lines["source"].startswith(f"{step.source}: ")
    assert re.search(r"read on \d{4}-\d\d-\d\d$", lines["source"])
    assert lines["confidence"] == step.confidence


def test_explain_states_the_rounded_figure_beside_the_raw_one(ecommerce: planner.Plan) -> None:
    first = run("plan", "preset:ecommerce", "--explain", "brokers.count").stdout.split("\n")[0]
    assert first == f"brokers.count = {ecommerce.brokers.count}"


def test_explain_several_as_json() -> None:
    arguments = [part for name in EXPLAINED for part in ("--explain", name)]
    done = run("plan", "preset:ecommerce", "--format", "json", *arguments)
    steps = json.loads(done.stdout)["explain"]
    assert len(steps) == len(EXPLAINED)
    parts = steps[0]["numbers"]
    assert steps[0]["value"] == pytest.approx(sum(parts.values()), rel=1e-12)  # network out is a plain sum


def test_explain_of_an_unknown_name_says_what_is_near() -> None:
    done = run("plan", "preset:ecommerce", "--explain", "netwrok_out", "--explain", "zzz", "--format", "json")
    assert done.exit_code == 2
    near, far = json.loads(done.stdout)["errors"]
    assert (near["value"], near["nearest"]) == ("netwrok_out", "network_out")
    assert (far["value"], far["nearest"]) == ("zzz", None)
    assert "brokers.count" in far["allowed"]


def test_an_explanation_is_no_table() -> None:
    assert run("plan", "preset:ecommerce", "--explain", "cpu", "--format", "csv").exit_code == 2


# check, reverse, compare


def test_check_of_a_cluster_that_holds() -> None:
    done = run("check", "preset:ecommerce", "--set", "cluster.brokers=30", "--format", "json")
    assert done.exit_code == 0
    body = json.loads(done.stdout)
    assert body["holds"] is True
    assert body["brokers"]["count"] == 30
    assert {row["state"] for row in body["margins"]} == set(body["states"])  # also those that are not checked
    for row in body["margins"]:
        assert row["margin"] == pytest.approx(row["threshold"] - row["utilisation"])


def test_check_of_a_cluster_that_does_not_hold() -> None:
    done = run("check", "preset:ecommerce", "--set", "cluster.brokers=6")
    assert done.exit_code == 1
    assert done.stdout.startswith("The cluster does not hold.\n")
    assert "(zone down)" in done.stdout
    assert "not checked" in done.stdout
    assert re.search(r"^disk space +-\d", done.stdout, re.MULTILINE)


def test_check_csv_has_one_row_per_margin() -> None:
    done = run("check", "preset:ecommerce", "--set", "cluster.brokers=30", "--format", "csv")
    expected = planner.check(planner.load("preset:ecommerce", ["cluster.brokers=30"])).margins
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["resource"], row["state"]) for row in rows] == [(row.resource, row.state) for row in expected]


def test_check_needs_a_broker_count() -> None:
    done = run("check", "preset:ecommerce", "--format", "json")
    assert done.exit_code == 2
    assert [error["path"] for error in json.loads(done.stdout)["errors"]] == ["cluster.brokers"]


def test_reverse() -> None:
    done = run("reverse", "-", "--format", "json", stdin=SMALL)
    assert done.exit_code == 0
    body = json.loads(done.stdout)
    bounded = [row["max_load_factor"] for row in body["limits"] if row["max_load_factor"] is not None]
    assert body["max_load_factor"] == min(bounded) >= 1
    text = run("reverse", "-", stdin=SMALL).stdout
    assert f"{body['max_load_factor']:.4g} times this load" in text.split("\n")[0]
    assert format_quantity(body["max_retention_s"], "s") in text
    table = run("reverse", "-", "--format", "csv", stdin=SMALL).stdout
    assert len(table.splitlines()) == len(body["limits"]) + 1


def test_reverse_fails_when_the_load_does_not_fit() -> None:
    done = run("reverse", "preset:ecommerce", "--set", "cluster.brokers=6")
    assert done.exit_code == 1
    assert re.search(r"carry 0\.\d+ times this load", done.stdout)


def test_compare_shows_only_what_differs(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("first.yaml", "second.yaml")]
    for name, rate in zip(names, (8000, 16000), strict=True):
        Path(name).write_text(f"name: pay\ntopics: [{{name: payments, records_per_s: {rate}}}]\n", encoding="utf-8")
    body = json.loads(run("compare", *names, "--format", "json").stdout)
    assert body["inputs"] == [{"path": "topics.payments.records_per_s", "values": [8000.0, 16000.0]}]
    assert all(row["values"][0] != row["values"][1] for row in body["figures"])
    text = run("compare", *names).stdout
    assert re.search(r"^topics\.payments\.records_per_s +8 000/s +16 000/s$", text, re.MULTILINE)
    table = run("compare", *names, "--format", "csv").stdout
    assert table.splitlines()[1] == "input,topics.payments.records_per_s,8000.0,16000.0"


def test_compare_of_equal_scenarios_and_of_a_topic_that_one_lacks(tmp_path: Path) -> None:
    assert "Inputs that differ: none." in run("compare", "preset:fintech", "preset:fintech").stdout
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("topics: [{name: a, records_per_s: 1, retention: {time: forever}}]\n", encoding="utf-8")
    second.write_text("topics: [{name: a, records_per_s: 1}, {name: b.c, records_per_s: 1}]\n", encoding="utf-8")
    done = run("compare", str(first), str(second))
    assert done.exit_code == 0
    assert "Topic b.c is only in 2." in done.stdout
    assert "topics.b.c." not in done.stdout
    assert re.search(r"^topics\.a\.retention\.time +forever +7 d$", done.stdout, re.MULTILINE)
    assert json.loads(run("compare", str(first), str(second), "--format", "json").stdout)["names"]


@pytest.mark.parametrize("arguments", [["preset:fintech"], ["-", "-"], ["preset:fintech", "nothing.yaml"]])
def test_compare_refuses(arguments: list[str]) -> None:
    done = run("compare", *arguments, "--format", "json", stdin=BAD)
    assert done.exit_code == 2
    assert json.loads(done.stdout)["errors"]


# presets, schema, version


def test_presets() -> None:
    found = json.loads(run("presets", "--format", "json").stdout)
    assert [row["name"] for row in found] == sorted(path.stem for path in data_path("presets").glob("*.yaml"))
    text = run("presets").stdout
    for row in found:
        assert row["title"]
        assert row["situation"]
        assert row["source"]
        assert re.search(rf"^{re.escape(row['name'])} ", text, re.MULTILINE)
    assert len(list(csv.DictReader(io.StringIO(run("presets", "--format", "csv").stdout)))) == len(found)


def test_schema() -> None:
    assert json.loads(run("schema").stdout) == planner.schema()


def test_version_and_unknown_commands() -> None:
    assert run("--version").stdout == f"kafka-planner {planner.__version__}\n"
    unknown = run("frobnicate")
    assert unknown.exit_code == 2
    assert "frobnicate" in unknown.stderr
    assert run("plan", "preset:fintech", "--format", "xml").exit_code == 2


# report


def test_report_by_the_ending_of_the_file(tmp_path: Path, ecommerce: planner.Plan) -> None:
    for name, form in (("a.md", "markdown"), ("a.json", "json")):
        done = run("report", "preset:ecommerce", "-o", str(tmp_path / name))
        assert (done.exit_code, done.stdout) == (0, "")
        assert (tmp_path / name).read_bytes().decode() == planner.report(ecommerce, format=form)


def test_report_on_standard_output(ecommerce: planner.Plan) -> None:
    assert run("report", "preset:ecommerce").stdout == planner.report(ecommerce)
    assert run("report", "preset:ecommerce", "--format", "json").stdout == planner.report(ecommerce, format="json")


def test_report_refuses_unknown_endings_and_places(tmp_path: Path) -> None:
    for place in (tmp_path / "a.docx", tmp_path / "no" / "such" / "folder.md", tmp_path / "a\0b.md"):
        done = run("report", "preset:fintech", "-o", str(place))
        assert done.exit_code == 2
        assert "-o" in done.stderr
    done = run("report", "preset:fintech", "-o", str(tmp_path / "no" / "a"), "--format", "json")
    assert json.loads(done.stdout)["errors"][0]["path"] == "-o"


# app


def test_the_app_runs_on_this_machine_only_and_reports_no_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[list[str], Any]] = []

    def record(arguments: list[str], *, cwd: Path, check: bool) -> SimpleNamespace:
        assert check is False
        calls.append((arguments, cwd))
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr("planner.cli.app.subprocess.run", record)
    assert run("app").exit_code == 0
    ((arguments, folder),) = calls
    assert arguments[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert arguments[4] == str(resource_root() / "app.py")
    options = dict(zip(arguments[5::2], arguments[6::2], strict=True))
    assert options == {
        "--server.address": "127.0.0.1",
        "--browser.serverAddress": "localhost",
        "--browser.gatherUsageStats": "false",
    }
    assert (folder / ".streamlit" / "config.toml").is_file()
    done = run("app", "--port", "9000", "--address", "0.0.0.0", "--allow-host", "planner.example.com")  # noqa: S104
    assert "no login" in done.stderr
    said = " ".join(calls[-1][0])
    assert "--server.address 0.0.0.0 --browser.serverAddress planner.example.com --server.port 9000" in said
    assert said.count("--server.allowedHosts") == 3
    assert run("app", "--address", "here").exit_code == 2
    assert len(calls) == 2


def test_the_app_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    done = run("app")
    assert done.exit_code == 2
    assert "pip install 'kafka-capacity-planner[app]'" in done.stderr


# bad input


@pytest.mark.parametrize(
    ("arguments", "path", "value"),
    [
        (("reassign", "preset:fintech", "--to-brokers", "abc"), "--to-brokers", "abc"),
        (("growth", "preset:fintech", "--months", "1.5"), "--months", "1.5"),
        (("plan",), "scenario", None),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused_as_json_too(
    arguments: tuple[str, ...], path: str, value: str | None
) -> None:
    for form in (("--format", "json"), ("--format=json",)):
        done = run(*arguments, *form)
        assert done.exit_code == 2
        (error,) = json.loads(done.stdout)["errors"]
        assert (error["path"], error["value"]) == (path, value)
        assert error["message"]
        assert error["allowed"] == f"see kafka-planner {arguments[0]} --help"
    plain = run(*arguments)
    assert plain.exit_code == 2
    assert "Usage:" in plain.stderr


def test_all_errors_come_at_once_as_json() -> None:
    done = run("plan", "-", "--format", "json", stdin=BAD)
    assert done.exit_code == 2
    assert not done.stderr
    errors = {error["path"]: error for error in json.loads(done.stdout)["errors"]}
    assert {"topics.orders.records_per_s", "topics.clicks.retentoin"} <= errors.keys()
    assert all(set(error) == {"path", "value", "message", "allowed", "nearest"} for error in errors.values())
    assert errors["topics.clicks.retentoin"]["nearest"].endswith("retention")


def test_all_errors_come_at_once_as_text() -> None:
    done = run("plan", "-", stdin=BAD)
    assert done.exit_code == 2
    assert not done.stdout
    assert "topics.orders.records_per_s = 12 bananas" in done.stderr
    assert re.search(r"topics\.clicks\.retentoin.*\n(?:.*\n)*?.*Did you mean .*retention\?", done.stderr)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("place", ["no-such-file.yaml", ".", "{a: 1", "preset:ecommrce", "", "a\nb"])
def test_a_scenario_that_is_not_there(place: str, form: str) -> None:
    done = run("plan", place, "--format", form)
    assert done.exit_code == 2
    if form == "json":
        (error,) = json.loads(done.stdout)["errors"]
        assert error["message"]
    else:
        assert place.partition("\n")[0].removeprefix("preset:") in done.stderr


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "\0", "a: &a [*a]", "topics: !!python/object:os.system {}", "\x1b[31m: 1"]
)
def test_no_text_is_worse_than_bad_input(text: str) -> None:
    done = run("plan", "-", stdin=text)
    assert done.exit_code == 2
    assert done.stderr.startswith("Bad input")
    assert ESCAPE not in done.stderr


def test_changes_that_cannot_be_made() -> None:
    done = run("plan", "preset:fintech", "--set", "topics.nosuch.acks=1", "--set", "nonsense", "--format", "json")
    assert done.exit_code == 2
    assert len(json.loads(done.stdout)["errors"]) == 2


# what a terminal, a pipe and a spreadsheet get


def test_text_of_users_is_never_markup(tmp_path: Path) -> None:
    scenario = tmp_path / "hostile.yaml"
    scenario.write_text(HOSTILE, encoding="utf-8")
    text = run("plan", str(scenario)).stdout
    assert "[link=http://x]y[/link]" in text
    assert "-orders" in text
    assert "[bold red]x[/] | `a` <script>alert(1)</script>" in run("compare", str(scenario), str(scenario)).stdout


def test_no_cell_starts_a_formula(tmp_path: Path) -> None:
    scenario = tmp_path / "=1+1.yaml"
    scenario.write_text(HOSTILE, encoding="utf-8")
    (row,) = csv.DictReader(io.StringIO(run("plan", str(scenario), "--format", "csv").stdout))
    assert row["topic"] == "'-orders"
    cells = [cell for text in row.values() for cell in [text] if cell]
    assert not [cell for cell in cells if cell[0] in "=+@\t\r" or (cell[0] == "-" and not cell[1:2].isdigit())]


def test_a_pipe_gets_plain_text() -> None:
    text = run("plan", "preset:ecommerce").stdout
    assert ESCAPE not in text
    assert "\u2026" not in text
    assert not re.search(r"[ \t]+$", text, re.MULTILINE)


def test_a_terminal_gets_colour_unless_it_does_not_want_it() -> None:
    arguments = ["plan", "preset:ecommerce"]
    environment: Mapping[str, str | None] = {"FORCE_COLOR": "1", "NO_COLOR": None, "TERM": "xterm-256color"}
    coloured = CliRunner().invoke(module.cli, arguments, env=environment, color=True).stdout
    assert f"{ESCAPE}[36mspare" in coloured
    plain = CliRunner().invoke(module.cli, arguments, env={**environment, "NO_COLOR": "1"}, color=True).stdout
    assert not re.search(rf"{ESCAPE}\[(?:3|4|9)\d", plain)


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("planner.codec.load", interrupted)
    done = run("plan", "preset:ecommerce")
    assert (done.exit_code, done.output) == (130, "")


# as a process of its own


def test_the_process_reads_standard_input_and_sets_its_status() -> None:
    source = data_path("presets", "ecommerce.yaml").read_bytes().decode()
    fine = command(["plan", "-", "--format", "json"], input=source)
    assert (fine.returncode, fine.stderr) == (0, "")
    assert json.loads(fine.stdout)["feasible"] is True
    short = command(["check", "-", "--set", "cluster.brokers=3"], input=source)
    assert (short.returncode, short.stderr) == (1, "")
    bad = command(["plan", "-"], input=BAD, env={"PYTHONIOENCODING": "ascii"})
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "Traceback" not in bad.stderr


def test_a_terminal_without_unicode_gets_every_word(tmp_path: Path) -> None:
    scenario = tmp_path / "umlaut.yaml"
    scenario.write_text("name: größe\ntopics: [{name: a, records_per_s: 1}]\n", encoding="utf-8")
    done = command(["compare", str(scenario), str(scenario)], env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "gr\\xf6\\xdfe" in done.stdout


def test_a_reader_that_goes_away_is_no_error() -> None:
    arguments = [sys.executable, "-m", "planner.cli", "schema"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named() -> None:
    arguments = [sys.executable, "-m", "planner.cli", "schema"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (2, "The output cannot be written: No space left on device.\n")


LOADED = """
import sys
from planner.cli import cli
try:
    cli(sys.argv[1:])
except SystemExit:
    pass
print(*sorted(sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["plan", "preset:ecommerce"], {"streamlit", "altair", "pandas", "scipy"}),
        (["plan", "preset:ecommerce", "--format", "json"], {"streamlit", "altair", "pandas", "scipy", "rich.console"}),
        (["--help"], {"streamlit", "altair", "pandas", "scipy", "numpy", "pydantic", "planner.scenario"}),
    ],
)
def test_a_start_loads_only_what_it_needs(arguments: list[str], absent: set[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    start = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(start, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout
    assert not absent & set(done.stderr.split())
