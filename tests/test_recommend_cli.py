"""The command `recommend`, its text and its decision record: complete, safe, with exit status 0 or 2."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner, Result

import planner
from planner import cli as module
from planner.cli.recommend import FLAGS, LISTS
from planner.fields import ManyOf
from planner.recommender.answers import reader_of
from planner.reports.adr import adr_document
from planner.scenario import Questions

FEW = ("--events-per-day", "5000", "--work", "queue", "--cloud", "aws")


def run(*arguments: str, stdin: str | None = None) -> Result:
    environment: Mapping[str, str | None] = {"FORCE_COLOR": None, "NO_COLOR": None, "COLUMNS": None}
    return CliRunner().invoke(module.cli, ["recommend", *arguments], input=stdin, env=environment)


def test_there_is_a_flag_for_every_question() -> None:
    assert set(FLAGS) == set(Questions.model_fields)
    assert {name for name in FLAGS if isinstance(reader_of(name), ManyOf)} == LISTS


def test_the_answer_comes_first_and_names_a_system() -> None:
    done = run(*FEW)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].startswith("Kafka is the wrong tool; use Amazon SQS standard queue")
    for part in ("Why", "What it costs", "What would change it", "Ruled out", "Worth asking next", "Break-even"):
        assert part in done.stdout


def test_flags_are_the_scenario() -> None:
    flags = json.loads(run(*FEW, "--existing", "postgres,redis", "--replay", "no", "--format", "json").stdout)
    text = "questions: {events_per_day: 5000, work: queue, cloud: aws, existing: [postgres, redis], replay: no}\n"
    given = json.loads(run("-", "--format", "json", stdin=text).stdout)
    assert flags == given
    changed = json.loads(run("-", "--set", "questions.cloud=gcp", "--format", "json", stdin=text).stdout)
    assert changed["answers"]["cloud"] == "gcp"
    assert json.loads(run("-", "--cloud", "gcp", "--format", "json", stdin=text).stdout)["system"] == changed["system"]


def test_unknown_is_an_answer() -> None:
    known = json.loads(run(*FEW, "--format", "json").stdout)
    assert json.loads(run(*FEW, "--replay", "unknown", "--work", "queue", "--format", "json").stdout) == known


def test_the_contract() -> None:
    body = json.loads(run("preset:startup-10k-a-day", "--format", "json").stdout)
    names = (
        "verdict family system runner_up also confidence close_call sentence reasons eliminated scores cost flips "
        "break_even questions_next assumptions"
    )
    assert set(names.split()) <= body.keys()
    assert body["verdict"] in {"kafka_required", "kafka_good_fit", "kafka_not_needed", "kafka_wrong"}
    assert body["runner_up"].keys() == {"system", "family"}
    assert body["reasons"][0].keys() == {"input", "fact", "source", "effect"}
    assert {"system", "constraint", "input", "source"} <= body["eliminated"][0].keys()
    assert {"system", "total", "rows"} <= body["scores"][0].keys()
    assert {"system", "infrastructure_per_month", "people_per_month", "lines"} <= body["cost"][0].keys()
    assert {"input", "from", "to", "family", "system", "kind", "factor"} <= body["flips"][0].keys()
    assert {flip["kind"] for flip in body["flips"]} <= {"constraint", "preference", "cost"}
    assert {"events_per_s", "against", "assumptions"} <= body["break_even"].keys()
    assert body["family"] != "kafka"
    assert {row["role"] for row in body["cost"]} == {"verdict", "runner-up", "cheapest Kafka"}


@pytest.mark.parametrize("preset", [row.name for row in planner.presets()])
def test_every_preset_gets_an_answer(preset: str) -> None:
    done = run(f"preset:{preset}")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].strip()


def test_must_is_said_only_of_constraints() -> None:
    body = json.loads(run(*FEW, "--format", "json").stdout)
    lines = run(*FEW).stdout.splitlines()
    for flip in body["flips"]:
        told = [line for line in lines if line.startswith(f"{flip['input']} = ")]
        for line in told:
            assert (" must be " in line) == (flip["kind"] == "constraint")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--replay", "maybe"),
        ("--cloud", "ibm"),
        ("--events-per-day", "-5"),
        ("--events-per-day", "5", "--events-per-s", "5"),
        ("--existing", "a, ]{"),
        ("--existing", "postgres", "--leaving", "postgres"),
        ("preset:nowhere",),
        ("--events-per-s", "1", "--set", "questions.nothing=1"),
        ("--events-per-s", "1", "--preferences", "nowhere.toml"),
    ],
)
def test_bad_input_is_told_with_exit_status_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments, "--format", "json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["errors"]


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    table = tmp_path / "own.toml"
    table.write_text('[love]\ninput = "work"\nis = "queue"\nweight = 2\nscores = { pulsar = 2 }\n', encoding="utf-8")
    body = json.loads(run(*FEW, "--preferences", str(table), "--format", "json").stdout)
    assert {row["row"] for score in body["scores"] for row in score["rows"]} == {"love"}


def test_csv_is_the_scores() -> None:
    head, first, *_ = run(*FEW, "--format", "csv").stdout.splitlines()
    assert (head, first.split(",")[0]) == ("system,family,fit", "sqs_standard")


def test_the_decision_record(tmp_path: Path) -> None:
    record = tmp_path / "decision.md"
    assert run(*FEW, "--adr", str(record)).exit_code == 0
    text = record.read_text(encoding="utf-8")
    for head in ("Context", "Decision", "Why", "What it costs", "What would change", "Alternatives", "Assumptions"):
        assert re.search(rf"^## {head}", text, re.MULTILINE), head
    assert "https://" in text
    assert run(*FEW, "--adr", str(tmp_path)).exit_code == 2


def test_the_decision_record_is_safe() -> None:
    name = "<script>alert(1)</script> **x** [a](javascript:b) | `c`"
    found = planner.recommend(planner.load({"name": name, "questions": {"events_per_s": 1, "existing": ["a+b_c d"]}}))
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(adr_document(found))
    assert "<script" not in html
    assert "javascript:" not in re.sub(r">[^<]*<", "><", html)
    assert adr_document(found) == adr_document(found)


def test_a_contradiction_reads_as_one() -> None:
    done = run("--exactly-once", "kafka_to_kafka", "--priority", "yes")
    assert done.exit_code == 0
    assert done.stdout.startswith("No system meets ")
    assert "Without exactly_once" in done.stdout
    assert "Without priority" in done.stdout
