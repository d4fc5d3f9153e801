"""The pages Need Kafka?, Plan, Topics and Method as Streamlit's own test harness runs them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from planner import codec, links, load, plan, recommend
from planner.links import Choice
from planner.reports.method import cases, caveats, method_sentences, subjects
from planner.scenario import Questions
from planner.trace import registry
from planner.ui import PAGES, questions, views

ROOT = Path(__file__).resolve().parents[1]
PRESETS = [preset.name for preset in codec.presets()]


def opened(page: str = "plan", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    return app if page == "plan" else on(app, page)


def on(app: AppTest, page: str) -> AppTest:
    return app.switch_page(f"planner/ui/pages/{page}.py").run()


def answered(app: AppTest) -> str:
    assert not app.exception
    (title,) = app.title
    return str(title.value)


def labelled(widgets: Any, start: str) -> Any:
    (found,) = [widget for widget in widgets if widget.label.startswith(start)]
    return found


def texts(app: AppTest) -> str:
    return "\n".join(str(text.value) for text in (*app.markdown, *app.caption, *app.code))


def headline(source: str, *sets: str) -> str:
    return views.sentence(plan(load(source, sets)).headline[0])


def first_sentence(text: str) -> str:
    return views.sentence(text.partition(". ")[0].removesuffix(".") + ".")


# All pages


def test_every_worked_example_is_answered_on_every_page() -> None:
    app = opened()
    for name in PRESETS:
        scenario = load(f"preset:{name}")
        on(app, "plan")
        labelled(app.selectbox, "Worked example").set_value(name).run()
        found = plan(scenario)
        assert answered(app) == views.sentence(found.headline[0])
        assert f"{found.cluster.partitions} partitions" in answered(on(app, "topics"))
        assert answered(on(app, "need_kafka")) == first_sentence(recommend(scenario).sentence)
        assert answered(on(app, "method")) == views.sentence(method_sentences()[0])


def test_a_page_is_listed_when_its_file_exists() -> None:
    listed = {name for pages in PAGES.values() for name in pages}
    assert listed == {path.stem for path in (ROOT / "planner/ui/pages").glob("[a-z]*.py")}
    assert next(iter(PAGES["Decide"])) == "need_kafka"


def test_what_was_changed_on_one_page_holds_on_the_next() -> None:
    app = opened()
    labelled(app.toggle, "Expert").set_value(True).run()
    labelled(app.number_input, "Zones down").set_value(1).run()
    expected = headline("preset:ecommerce", "policy.survive.zones=1")
    assert answered(app) == expected
    on(app, "method")
    assert labelled(app.toggle, "Expert").value
    assert answered(on(app, "plan")) == expected


# The column of inputs


def test_one_change_is_taken_back_by_one_click() -> None:
    app = opened()
    labelled(app.number_input, "Zones down").set_value(1).run()
    labelled(app.number_input, "Brokers down").set_value(2).run()
    labelled(app.button, "✕ policy.survive.zones").click().run()
    assert answered(app) == headline("preset:ecommerce", "policy.survive.brokers=2")
    assert labelled(app.number_input, "Zones down").value == 0
    assert labelled(app.number_input, "Brokers down").value == 2


def test_what_is_not_known_becomes_a_stated_range() -> None:
    app = opened()
    labelled(app.toggle, "Expert").set_value(True).run()
    unsure = [button for button in app.button if button.label == "I do not know"]
    unsure[0].click().run()
    assert [field.value for field in app.text_input if field.label in {"low", "likely", "high"}] == [
        "38000/s",
        "76000/s",
        "152000/s",
    ]
    assert "For the likely values of topics.clickstream.records" in texts(app).replace("\\", "")
    assert answered(app) == headline("preset:ecommerce")
    labelled(app.text_input, "likely").set_value("100k/s").run()
    assert answered(app) == headline("preset:ecommerce", "topics.clickstream.records_per_s=100000")
    labelled(app.text_input, "high").set_value('1"}: nonsense').run()
    assert "Not taken" in app.error[0].value
    labelled(app.button, "I do know").click().run()
    assert answered(app) == headline("preset:ecommerce")
    assert not app.error


def test_experts_reach_every_limit() -> None:
    app = opened()
    labelled(app.toggle, "Expert").set_value(True).run()
    next(field for field in app.text_input if field.label.startswith("Disk space")).set_value("50 %").run()
    labelled(app.toggle, "TLS").set_value(False).run()
    assert answered(app) == headline("preset:ecommerce", "policy.utilisation.disk_volume=0.5", "cluster.tls=false")


def test_the_units_change_what_is_written_and_nothing_else() -> None:
    app = opened()
    before = answered(app)
    labels = [button.label for button in app.button]
    assert "Produced at peak **94.6 MB/s**" in labels
    labelled(app.segmented_control, "Bytes in").set_value("KiB, MiB, GiB").run()
    labels = [button.label for button in app.button]
    assert "Produced at peak **90.2 MiB/s**" in labels
    assert answered(app) == before
    assert "network 10 Gbit/s in and out" in texts(app)
    assert not [button for button in app.button if button.label.startswith("Reset")]


def test_the_flow_shows_the_state_that_is_chosen() -> None:
    app = opened()
    labelled(app.segmented_control, "State").set_value("recovering").run()
    assert not app.exception
    assert "Grey behind it: the healthy state." in texts(app)


# Links


def test_a_link_opens_what_it_was_made_of() -> None:
    choice = Choice("fintech", "", {"cluster.brokers": "30", "policy.survive.brokers": "1"}, 1.0)
    app = opened(**links.to_query(choice))
    assert answered(app) == headline("preset:fintech", "cluster.brokers=30", "policy.survive.brokers=1")
    (link,) = [code.value for code in app.code if "v=1" in code.value]
    assert "p=fintech" in link
    assert "c.brokers=30" in link


def test_a_link_carries_a_scenario_of_ones_own() -> None:
    text = codec.dump(load("topics: [{name: a_b, records_per_s: 5}]\n"))
    app = opened(**links.to_query(Choice(None, text)))
    assert answered(app) == headline(text)
    (link,) = [code.value for code in app.code if "v=1" in code.value]
    assert "z=" in link


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"v": "9", "p": "ecommerce"}, "another version"),
        ({"v": "1", "z": "abc"}, "cannot be read"),
        ({"v": "1", "p": "ecommerce", "c.zones": "-1", "c.kafka_version": "4.1"}, "cluster.zones"),
        ({"v": "1", "p": "ecommerce", "c.brokers": "1e1", "c.broker": "nothing"}, "nothing"),
        ({"v": "1", "z": links.to_query(Choice(None, "questions: {replay: yes}\n"))["z"]}, "topics"),
    ],
)
def test_a_broken_link_is_said_and_the_page_still_answers(query: dict[str, str], said: str) -> None:
    app = opened(**query)
    assert answered(app)
    assert any(said in error.value for error in app.error)


# Need Kafka?


def test_every_question_has_words_and_a_field() -> None:
    for name in Questions.model_fields:
        assert questions.asked(name).label, name
    app = opened("need_kafka")
    labelled(app.segmented_control, "Decide for").set_value(True).run()
    answered(app)
    shown = [field.label for field in (*app.segmented_control, *app.selectbox, *app.multiselect, *app.text_input)]
    for name in Questions.model_fields:
        assert sum(label.startswith(questions.asked(name).label) for label in shown) >= 1, name


def test_questions_are_answered_without_topics() -> None:
    app = opened("need_kafka")
    labelled(app.segmented_control, "Decide for").set_value(True).run()
    labelled(app.text_input, "Messages a day").set_value("5000/day").run()
    labelled(app.multiselect, "What are the messages?").set_value(["queue"]).run()
    labelled(app.selectbox, "Where does it run?").set_value("aws").run()
    labelled(app.segmented_control, "Is consumed data read again?").set_value("no").run()
    asked = {"events_per_day": 5000, "work": ["queue"], "cloud": "aws", "replay": False}
    found = recommend(load({"questions": asked}))
    assert answered(app) == first_sentence(found.sentence)
    labelled(app.segmented_control, "Is consumed data read again?").set_value("unknown").run()
    del asked["replay"]
    assert answered(app) == first_sentence(recommend(load({"questions": asked})).sentence)


def test_a_flip_is_tried_and_undone() -> None:
    app = opened("need_kafka")
    before = answered(app)
    flips = [button for button in app.button if button.label.startswith("→ Are messages delivered later")]
    flips[0].click().run()
    after = first_sentence(recommend(load("preset:ecommerce", ["questions.delay=true"])).sentence)
    assert after != before
    assert answered(app) == after
    labelled(app.button, "↩ Undo: Are messages delivered later").click().run()
    assert answered(app) == before
    assert not [button for button in app.button if button.label.startswith("Reset")]


# Topics


def test_the_ladder_is_that_of_the_chosen_topic() -> None:
    app = opened("topics")
    labelled(app.selectbox, "Topic").set_value("orders").run()
    assert "orders: 36 partitions" in texts(app)
    assert len(app.get("vega_lite_chart")) == 2


def test_pasted_rows_become_the_topics() -> None:
    app = opened("topics")
    labelled(app.text_area, "Rows").set_value("name\trecords_per_s\nx\t12k/s\ny\t5/s\n")
    labelled(app.button, "Take these topics").click().run()
    assert answered(app).startswith("2 topics have")
    expected = {
        **codec.to_mapping(load("preset:ecommerce")),
        "topics": codec.load_topics_csv("name,rate\nx,12000\ny,5\n"),
    }
    assert f"{plan(codec.from_mapping(expected)).cluster.partitions} partitions" in answered(app)
    labelled(app.text_area, "Rows").set_value("name\trate\nz\tmany\n")
    labelled(app.button, "Take these topics").click().run()
    assert answered(app).startswith("2 topics have")
    assert "row 2, column rate" in app.error[0].value


# Method


def test_every_formula_belongs_to_a_subject_and_tells_its_caveats() -> None:
    found = [rule for rules in subjects().values() for rule in rules]
    assert {rule.name for rule in found} == {
        name for name, rule in registry().items() if "planner.model" in rule.module
    }
    assert all(len(caveats(rule)) == 2 for rule in found)


def test_every_case_is_counted_once() -> None:
    page = (ROOT / "docs/validation.md").read_text(encoding="utf-8")
    match = re.search(r"Reproduced by the planner's own public model functions \| (\d+)", page)
    assert match is not None
    assert sum(row.kind == "reproduced" for row in cases()) == int(match[1])


def test_formulas_stand_with_the_numbers_of_the_plan() -> None:
    app = opened("method")
    step = plan(load("preset:ecommerce")).explain("network_in")
    assert step.substituted in texts(app)
    labelled(app.text_input, "Find").set_value("partitions.").run()
    (count,) = re.findall(r"(\d+) of \d+ constants", texts(app))
    assert int(count) > 0


def brokers(app: AppTest) -> Any:
    return next(field for field in app.number_input if field.label.partition(" ")[0] == "Brokers")
