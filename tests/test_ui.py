"""The app without a browser: pure view functions, then the page as Streamlit's own test harness runs it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import altair as alt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from streamlit.testing.v1 import AppTest

from planner import Plan, Ranged, ScenarioError, codec, load, plan
from planner.constants import constants, sources
from planner.reports.pictures import wall
from planner.reports.tables import Table
from planner.results import RESOURCES, STATES
from planner.scenario import InputError
from planner.ui import page, state, views

ROOT = Path(__file__).resolve().parents[1]
PRESETS = [preset.name for preset in codec.presets()]
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@pytest.fixture(scope="module")
def shop() -> Plan:
    return plan(load("preset:ecommerce"))


@pytest.fixture(scope="module")
def short() -> Plan:
    return plan(load("preset:ecommerce", ["cluster.brokers=3"]))


# Text


def shown(markdown: str) -> str:
    """The text that a reader sees, by a Markdown parser that is not ours."""
    blocks = [token for token in MARKDOWN.parse(markdown) if token.type == "inline"]
    assert len(blocks) <= 1
    return "".join(_leaf(child) for block in blocks for child in block.children or [])


def _leaf(token: Any) -> str:
    assert token.type == "text", f"{token.type} came out of escaped text"
    return str(token.content)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60))
def test_escaped_text_comes_out_as_it_was_written(text: str) -> None:
    seen = shown(views.escape(text)).replace("\u2060", "")
    assert seen == re.sub(r"[^\S\u00a0]+", " ", text).strip().replace("\u2060", "")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[a link](https://example.org)",
        "![image](x.png)",
        "# heading",
        "1. item",
        "- item",
        "**bold** _it_ `code` ~~no~~ | cell |",
        "&lt;b&gt;",
        "    indented",
        "line\n\nline",
        "==underlined",
    ],
)
def test_markdown_in_a_name_is_only_text(text: str) -> None:
    assert shown(views.escape(text)) == " ".join(text.split())


@pytest.mark.parametrize("text", [":red[loud]", ":material/home:", ":smile:", "$x^2$", ":red-badge[no]"])
def test_streamlit_finds_nothing_of_its_own_in_a_name(text: str) -> None:
    escaped = views.escape(text)
    assert not re.search(r"(?<!\\):[A-Za-z]", escaped)
    assert not re.search(r"(?<!\\)[$\[]", escaped)


def test_plain_sentences_stay_as_they_are(shop: Plan) -> None:
    assert views.headline(shop)[0] == shop.headline[0]


def test_the_status_is_a_word_and_a_shape_and_a_colour(shop: Plan, short: Plan) -> None:
    assert views.status(shop) == ":green-badge[● Holds]"
    assert views.status(short) == ":red-badge[▲ Does not hold]"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.5964, "59.6 %"),
        (0.0, "0 %"),
        (0.004, "< 1 %"),
        (0.01, "1 %"),
        (1.384, "138 %"),
        (1e12, "> 10 000 %"),
        (None, "n/a"),
    ],
)
def test_a_share_is_short_beside_its_bar(share: float | None, text: str) -> None:
    assert wall.percent(share) == text


# The wall


@pytest.mark.parametrize("name", PRESETS)
def test_the_wall_has_every_verdict_and_every_state(name: str) -> None:
    result = plan(load(f"preset:{name}"))
    rows = views.wall_rows(result)
    cells = {(row["resource"], row["state"]): row for row in rows}
    assert len(rows) == len({row["resource"] for row in rows}) * len(STATES)
    assert [row["resource"] for row in rows] == sorted((row["resource"] for row in rows), key=RESOURCES.index)
    for verdict in result.verdicts:
        cell = cells[verdict.resource, verdict.state]
        assert (cell["utilisation"], cell["threshold"]) == (verdict.utilisation, verdict.threshold)
        assert cell["verdict"] == verdict.verdict
        assert cell["checked"]
    for row in rows:
        assert row["checked"] == result.states[row["state"]].checked
        if row["mean"] is not None:
            assert row["mean"] <= row["utilisation"] * (1 + 1e-9)
        if row["explain"]:
            assert result.explain(row["explain"]).unit == "fraction"
    assert sum(bool(row["mark"]) for row in rows) == 1


def test_the_wall_marks_what_the_headline_names(shop: Plan) -> None:
    (marked,) = [row for row in views.wall_rows(shop) if row["mark"]]
    assert shop.brokers.binding is not None
    assert (marked["resource"], marked["mark"]) == (shop.brokers.binding.resource, "binding")
    assert wall.percent(marked["utilisation"]) in shop.headline[1]
    assert views.binding_name(views.wall_rows(shop)) == f"utilisation.{marked['state']}.{marked['resource']}"


def test_where_the_copies_decide_the_fullest_cell_is_marked() -> None:
    small = plan(load("preset:startup-10k-a-day"))
    rows = views.wall_rows(small)
    (marked,) = [row for row in rows if row["mark"]]
    assert small.brokers.binding is not None
    assert small.brokers.binding.resource == "replication"
    assert marked["mark"] == "fullest"
    assert all(views.ratio(row) <= views.ratio(marked) for row in rows if row["judged"])
    assert views.binding_name(rows) == "brokers.count"


def test_the_mean_is_the_mean_load_over_the_capacity(shop: Plan) -> None:
    # the reference broker: 4 TB, 10 Gbit/s, 64 GiB, 16 vCPU
    cells = {(row["resource"], row["state"]): row for row in views.wall_rows(shop)}
    for name in ("healthy", "broker_down"):
        figures = shop.states[name].per_broker or {}
        assert cells["disk_volume", name]["mean"] == pytest.approx(figures["disk_bytes"] / 4e12)
        received = figures["network_in_bytes_per_s"] + figures["network_overhead_in_bytes_per_s"]
        assert cells["network_in", name]["mean"] == pytest.approx(received / 1.25e9)
        assert cells["memory", name]["mean"] == pytest.approx(figures["memory_bytes"] / 2**36)


def test_unchecked_states_keep_the_degraded_limits(shop: Plan) -> None:
    cells = {(row["resource"], row["state"]): row for row in views.wall_rows(shop)}
    limits = shop.scenario.policy.utilisation_degraded
    assert not cells["cpu", "zone_down"]["checked"]
    assert cells["cpu", "zone_down"]["threshold"] == limits.cpu
    assert cells["network_out", "zone_down"]["threshold"] == limits.network
    assert cells["partitions", "reduced"]["threshold"] == 1.0


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["ecommerce", "startup-10k-a-day"])
def test_the_pictures_are_valid_vega_lite(name: str, dark: bool) -> None:
    rows = views.wall_rows(plan(load(f"preset:{name}")))
    for spec in (views.wall_spec(rows, dark=dark), views.list_spec(views.resource_rows(rows), dark=dark)):
        for layer in spec["layer"]:
            layer["data"]["values"] = layer["data"]["values"][:2]  # the schema looks at each of them for long
        alt.LayerChart.from_dict(spec, validate=True)


def test_a_notebook_gets_the_wall_as_an_altair_chart(shop: Plan) -> None:
    rows = views.resource_rows(views.wall_rows(shop))
    chart = views.wall_chart(rows)
    assert isinstance(chart, alt.LayerChart)
    assert [row["text"] for row in drawn(chart.to_dict(validate=False), "text")].count("disk space") == 1


def drawn(spec: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """What is drawn with one kind of mark; the areas for clicks are not drawn."""
    seen = [layer for layer in spec["layer"] if layer["mark"]["type"] == kind and layer.get("name") != "cells"]
    return [row for layer in seen for row in layer["data"]["values"]]


def test_bars_are_as_long_as_their_shares() -> None:
    row = {
        "resource": "cpu",
        "resource_label": "CPU",
        "state": "healthy",
        "state_label": "healthy",
        "checked": True,
        "utilisation": 0.5,
        "mean": 0.25,
        "threshold": 0.6,
        "judged": True,
        "verdict": "right",
        "explain": "",
        "mark": "",
    }
    track, bar = drawn(views.list_spec([row]), "rect")
    assert (track["x0"], track["x1"], bar["x0"], bar["x1"]) == (0, 1, 0, 0.5)
    mean, limit = drawn(views.list_spec([row]), "rule")
    assert (mean["x0"], limit["x0"]) == (0.25, 0.6)
    _, over = drawn(views.list_spec([{**row, "utilisation": 3.0, "verdict": "short"}]), "rect")
    assert over["x1"] == 1
    assert over["paint"] != bar["paint"]
    texts = [text["text"] for text in drawn(views.list_spec([{**row, "utilisation": 3.0, "verdict": "short"}]), "text")]
    assert texts == ["CPU: healthy", "▲ 300 % of 60 %"]
    _, pale = drawn(views.wall_spec([{**row, "checked": False}]), "rect")
    assert pale["tone"] < bar["tone"]


def test_a_state_that_cannot_occur_is_said_so() -> None:
    alone = plan(
        load("topics: [{name: a, records_per_s: 10, replication_factor: 1}]\ncluster: {zones: 1, brokers: 1}\n")
    )
    rows = views.wall_rows(alone)
    assert {row["utilisation"] for row in rows if row["state"] == "broker_down"} == {None}
    assert "n/a" in [row["text"] for row in drawn(views.wall_spec(rows), "text")]


def test_the_alternative_text_holds_every_resource_and_what_binds(shop: Plan) -> None:
    text = views.wall_alt(views.wall_rows(shop))
    assert "disk space" in text
    assert "(binding)" in text
    assert text.count(" of ") == len({verdict.resource for verdict in shop.verdicts}) + 1  # "Utilisation of"


# Rows and paragraphs


def test_topic_columns_multiplied_by_their_unit_are_the_plan(shop: Plan) -> None:
    sizes = {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}
    rows = {row["Topic"]: row for row in views.topic_rows(shop)}
    assert list(rows) == list(shop.topics)
    for name, topic in shop.topics.items():
        for column, expected in (
            ("Produced", topic.produce_in_bytes_per_s),
            ("Consumed", topic.consumer_out_bytes_per_s),
            ("Disk, average", topic.disk_bytes),
            ("Disk, worst", topic.disk_bytes_worst),
        ):
            (head,) = [key for key in rows[name] if key.startswith(column)]
            unit = head[head.index("[") + 1 : -1].removesuffix("/s")
            assert rows[name][head] * sizes[unit] == pytest.approx(expected)
        assert rows[name]["Partitions"] == topic.partitions


def test_table_cells_keep_their_percent_sign() -> None:
    table = Table("t", ("two\nlines", "b"), (("63 %", "x"),))
    assert views.table_rows(table) == [{"Two lines": "63\u00a0%", "B": "x"}]


def test_findings_say_how_grave_they_are(short: Plan) -> None:
    lines = views.finding_markdown(short)
    assert len(lines) == len(short.findings)
    assert lines[0].startswith(":red-badge[▲ Critical] ")
    assert "NaN" not in "".join(lines)


def test_an_error_says_where_what_and_what_instead() -> None:
    error = InputError("topics.a_b.rf", "<x>", "Must be *whole*.", "1 to 3", "rep_factor")
    (line,) = views.error_markdown([error])
    assert MARKDOWN.render(line).strip() == (
        "<p><strong>topics.a_b.rf</strong>: Must be *whole*. Given: &lt;x&gt;. Allowed: 1 to 3. "
        "Did you mean <strong>rep_factor</strong>?</p>"
    )
    assert views.error_markdown([InputError("", None, "Too large.")]) == ["Too large."]


def test_every_figure_explains_itself(shop: Plan) -> None:
    for name in views.figures(shop):
        step = views.step_of(shop, name, "orders")
        source = views.source_of(step)
        text = views.explain_markdown(step, source)
        body = step.to_dict()
        assert body["expression"] in text
        assert body["substituted"] in text
        assert source is not None, name
        assert source.as_of in text
        assert source.url in text
        assert f"{body['confidence']}." in text


def test_a_topics_figure_is_that_topics(shop: Plan) -> None:
    step = views.step_of(shop, "topics.wire_bytes_per_record", "payments")
    assert step.value == pytest.approx(shop.topics["payments"].wire_bytes_per_record)


def test_the_explained_source_is_the_one_on_file(shop: Plan) -> None:
    step = shop.explain("network_out")
    assert views.source_of(step) == sources()[step.source]
    assert constants()  # the figures that formulas take are on file as well


# What the visitor chose


def test_a_factor_multiplies_every_rate_and_its_range() -> None:
    text = (
        "topics:\n  - {name: a, records_per_s: {low: 1, likely: 2, high: 4}, transactions_per_s: 1}\n"
        "  - {name: b, bytes_per_s: 1 MB/s}\n"
    )
    one, two = state.scaled(load(text), 2.5).topics
    assert one.records_per_s == Ranged(2.5, 5, 10)
    assert one.transactions_per_s == 2.5
    assert two.bytes_per_s == 2.5e6


def test_a_factor_stays_within_the_bounds_of_a_file() -> None:
    with pytest.raises(ScenarioError):
        state.scaled(load("topics: [{name: a, records_per_s: 1e10}]\n"), 1e4)


@pytest.mark.parametrize(
    ("given", "held", "dimension", "expected"),
    [
        ("12k/s", "12000/s", "per_s", True),
        (" 7d ", "7d", "s_or_forever", True),
        ("168h", "7d", "s_or_forever", True),
        ("8d", "7d", "s_or_forever", False),
        ("5 fortnights", "7d", "s_or_forever", False),
    ],
)
def test_a_value_is_changed_when_it_means_something_else(given: str, held: str, dimension: str, expected: bool) -> None:
    assert state.same(given, held, dimension) is expected


def test_an_upload_is_read_by_its_ending() -> None:
    text = state.read_upload("my topics.CSV", b"name,records_per_s\norders,12k/s\npayments,500/s\n")
    assert [topic.name for topic in load(text).topics] == ["orders", "payments"]
    text = state.read_upload("x.json", b'{"topics": [{"name": "orders", "records_per_s": 5}]}')
    assert load(text).topics[0].records_per_s == 5


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.yaml", b"\xff\xfe"),
        ("x.yaml", b"a: &a [*a]\n"),
        ("x.yaml", b"topics: []\n"),
        ("../../x.yaml", b"- 1\n"),
        ("x.csv", b"name\n"),
        ("x.yaml", b" " * (state.MAX_BYTES + 1)),
    ],
)
def test_a_bad_upload_is_refused_in_words(name: str, data: bytes) -> None:
    with pytest.raises(ScenarioError) as refused:
        state.read_upload(name, data)
    assert refused.value.errors[0].message


# The page


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


def answered(app: AppTest) -> str:
    assert not app.exception
    (title,) = app.title
    return str(title.value)


def labelled(widgets: Any, start: str) -> Any:
    (found,) = [widget for widget in widgets if widget.label.startswith(start)]
    return found


def sentence(source: str, *sets: str) -> str:
    return plan(load(source, sets)).headline[0]


def test_the_page_opens_with_an_answer(app: AppTest, shop: Plan) -> None:
    assert answered(app) == shop.headline[0]
    assert ":green-badge[● Holds] e-commerce events" in [text.value for text in app.markdown]
    assert len(app.get("vega_lite_chart")) == 4  # the wall and the flow, each wide and narrow
    assert not app.error


def test_the_page_names_its_file() -> None:
    assert page("plan").is_file()


def test_every_worked_example_is_answered(app: AppTest) -> None:
    for name in PRESETS:
        labelled(app.selectbox, "Worked example").set_value(name).run()
        assert answered(app) == sentence(f"preset:{name}"), name


def test_the_load_slider_and_its_field_move_together(app: AppTest) -> None:
    labelled(app.slider, "Load").set_value(2.0).run()
    assert labelled(app.number_input, "Load").value == 2.0
    doubled = [
        f"topics.{topic.name}.records_per_s={2 * (topic.records_per_s or 0)}"
        for topic in load("preset:ecommerce").topics
    ]
    assert answered(app) == sentence("preset:ecommerce", *doubled, "topics.payments.transactions_per_s=400")
    labelled(app.number_input, "Load").set_value(12.0).run()
    assert labelled(app.slider, "Load").value == 5.0
    assert "Reset 1 change" in [button.label for button in app.button]


def test_people_type_quantities_with_units(app: AppTest) -> None:
    labelled(app.selectbox, "One topic").set_value("orders").run()
    labelled(app.text_input, "Records").set_value("120k/s").run()
    assert answered(app) == sentence("preset:ecommerce", "topics.orders.records_per_s=120000")
    assert "changed, was" in labelled(app.text_input, "Records").label


def test_a_text_that_cannot_be_read_keeps_the_answer(app: AppTest) -> None:
    before = answered(app)
    labelled(app.text_input, "Retention").set_value("5 fortnights").run()
    assert answered(app) == before
    (error,) = app.error
    assert "5 fortnights" in error.value
    # the rest of the form still works, and the answer says that it is without the refused value
    labelled(app.number_input, "Brokers down").set_value(2).run()
    assert answered(app) == sentence("preset:ecommerce", "policy.survive.brokers=2")
    assert "without" in app.error[0].value


def test_a_given_count_that_does_not_carry_is_as_clear(app: AppTest, short: Plan) -> None:
    (brokers,) = [widget for widget in app.number_input if widget.label == "Brokers"]
    brokers.set_value(3).run()
    assert answered(app) == short.headline[0]
    assert ":red-badge[▲ Does not hold] e-commerce events" in [text.value for text in app.markdown]


def test_a_contradiction_keeps_the_answer_and_names_both_sides(app: AppTest) -> None:
    before = answered(app)
    (brokers,) = [widget for widget in app.number_input if widget.label == "Brokers"]
    brokers.set_value(2).run()
    assert answered(app) == before
    assert "The replication factor is above the number of brokers, 2." in app.error[0].value


def test_one_reset_takes_everything_back(app: AppTest) -> None:
    before = answered(app)
    labelled(app.number_input, "Zones down").set_value(1).run()
    labelled(app.slider, "Load").set_value(3.0).run()
    labelled(app.selectbox, "Broker").set_value("small-cloud-vm").run()
    assert answered(app) != before
    labelled(app.button, "Reset 3 changes").click().run()
    assert answered(app) == before
    assert labelled(app.slider, "Load").value == 1.0
    assert labelled(app.number_input, "Zones down").value == 0
    assert not [button for button in app.button if button.label.startswith("Reset")]


def test_an_upload_becomes_the_scenario(app: AppTest) -> None:
    csv = b"name,records_per_s\norders,12k/s\n"
    app.file_uploader[0].upload("topics.csv", csv, "text/csv").run()
    assert answered(app) == plan(load(state.read_upload("topics.csv", csv))).headline[0]
    assert labelled(app.selectbox, "Worked example").value is None


def test_a_broken_upload_shows_all_its_errors_and_keeps_the_answer(app: AppTest) -> None:
    before = answered(app)
    broken = b"topics:\n  - {name: orders, record_per_s: 12k, retention: {time: 7 fortnights}}\ncluster: {zones: -1}\n"
    app.file_uploader[0].upload("broken.yaml", broken, "application/yaml").run()
    assert answered(app) == before
    (error,) = app.error
    for part in (
        "broken.yaml",
        "record\\_per\\_s",
        "Did you mean **records\\_per\\_s**?",
        "7 fortnights",
        "cluster.zones",
    ):
        assert part in error.value


def test_a_name_cannot_format_the_page(app: AppTest) -> None:
    text = b'name: "**x** <b>:red[y]</b>"\ntopics: [{name: a, records_per_s: 5}]\n'
    app.file_uploader[0].upload("x.yaml", text, "application/yaml").run()
    answered(app)
    assert views.escape("**x** <b>:red[y]</b>") in app.markdown[0].value


def test_the_binding_figure_is_explained_until_another_is_asked_for(app: AppTest, shop: Plan) -> None:
    figure = labelled(app.selectbox, "Figure")
    assert figure.value == "utilisation.healthy.disk_volume"
    labelled(app.button, "Network out").click().run()
    assert labelled(app.selectbox, "Figure").value == "network_out_bytes_per_s"
    assert shop.explain("network_out").expression in "".join(text.value for text in app.markdown)
    labelled(app.selectbox, "Figure").set_value("topics.partitions_for_produce").run()
    labelled(app.selectbox, "of the topic").set_value("payments").run()
    answered(app)
    assert "topics.payments.partitions" in "".join(text.value for text in app.markdown).replace("\\", "")
