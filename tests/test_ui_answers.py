"""The pages about a running cluster, growth, hardware and reports, as Streamlit's own test harness runs them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import planner
from planner import codec
from planner.reports import (
    text_audit,
    text_failure,
    text_growth,
    text_repartition,
    text_search,
    text_uncertainty,
)
from planner.ui import views

ROOT = Path(__file__).resolve().parents[1]
SLOWLY_TOO = ("ecommerce", "linkedin-2014")  # examples whose pages of some seconds are opened as well


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=90).run()


def on(app: AppTest, page: str) -> str:
    """The heading of a page."""
    return titled(app.switch_page(f"planner/ui/pages/{page}.py").run())


def titled(app: AppTest) -> str:
    assert not app.exception
    (title,) = app.title
    return str(title.value)


def labelled(widgets: Any, start: str) -> Any:
    (found,) = [widget for widget in widgets if widget.label.startswith(start)]
    return found


def texts(app: AppTest) -> str:
    return "\n".join(str(text.value) for text in (*app.markdown, *app.caption))


@pytest.mark.parametrize("name", [preset.name for preset in codec.presets()])
def test_each_page_opens_with_the_answer_of_the_library(app: AppTest, name: str) -> None:
    labelled(app.selectbox, "Worked example").set_value(name).run()
    scenario = planner.load(f"preset:{name}")
    planned = planner.plan(scenario)
    answers = {
        "failure": text_failure.failure_sentence(planner.failure(scenario)),
        "consumers": planner.consumers(scenario).headline,
        "audit": text_audit.audit_sentence(planner.audit(scenario)),
        "report": planned.headline[0],
    }
    if name in SLOWLY_TOO:
        topic, now = next((topic, row.partitions) for topic, row in planned.topics.items())
        today, rate = dt.datetime.now(tz=dt.UTC).date(), scenario.policy.growth_per_year or 0.3
        change = planner.repartition(scenario, topic, 2 * now)
        answers |= {
            "repartition": text_repartition.repartition_sentence(change),
            "growth": text_growth.growth_sentence(planner.growth(scenario, per_year=rate, start=today)),
            "hardware": next(iter(text_search.headline(planner.search(scenario)))),
        }
    for page, sentence in answers.items():
        assert on(app, page) == views.sentence(sentence), page
        assert not app.error, page
    assert f"{planned.brokers.count} brokers" in on(app, "compare")


def test_what_fails_is_chosen(app: AppTest) -> None:
    on(app, "failure")
    shop = planner.load("preset:ecommerce")
    labelled(app.segmented_control, "What fails").set_value("zone").run()
    assert titled(app) == views.sentence(text_failure.failure_sentence(planner.failure(shop, zone="any")))
    labelled(app.segmented_control, "What fails").set_value("controllers").run()
    assert "1 of 3 controllers" in titled(app)
    labelled(app.segmented_control, "What fails").set_value("brokers").run()
    labelled(app.number_input, "How many").set_value(2).run()
    found = planner.failure(shop, brokers=2)
    assert titled(app) == views.sentence(text_failure.failure_sentence(found))
    labelled(app.text_input, "Away for").set_value("a while").run()
    assert "cannot be read" in texts(app)
    assert titled(app) == views.sentence(text_failure.failure_sentence(found))


def test_a_longer_outage_loses_records(app: AppTest) -> None:
    on(app, "consumers")
    labelled(app.text_input, "Consumers are down").set_value("9d").run()
    found = planner.consumers(planner.load("preset:ecommerce"), outage_s=9 * 86_400)
    assert titled(app) == views.sentence(found.headline)
    assert "▲ Loses records" in texts(app)
    labelled(app.selectbox, "Group").set_value("sessions").run()
    assert views.sentence(found.groups["sessions"].headline) in texts(app)


def test_a_change_that_cannot_be_made_is_refused_in_words(app: AppTest) -> None:
    on(app, "repartition")
    labelled(app.number_input, "Partitions, now").set_value(1).run()
    assert titled(app).startswith("Choose a topic")
    assert app.error


def test_replicas_are_moved_as_asked(app: AppTest) -> None:
    on(app, "repartition")
    labelled(app.segmented_control, "Change").set_value("remove").run()
    found = planner.reassign(planner.load("preset:ecommerce"), remove=(14,))
    assert f"{found.replica_moves} replicas" in texts(app)


def test_worlds_are_sampled_on_request_and_not_shown_for_other_inputs(app: AppTest) -> None:
    on(app, "growth")
    assert "worlds," not in texts(app)
    labelled(app.selectbox, "Worlds").set_value(256).run()
    labelled(app.button, "Sample").click().run()
    found = planner.uncertainty(planner.load("preset:ecommerce"), worlds=256, load=(0.7, 1.5))
    assert views.sentence(text_uncertainty.uncertainty_sentence(found)) in texts(app)
    labelled(app.text_input, "Growth in a year").set_value("60%").run()
    assert views.sentence(text_uncertainty.uncertainty_sentence(found)) in texts(app)
    labelled(app.number_input, "Zones down").set_value(1).run()
    assert "sample again" in texts(app)
    assert "60.0%" in texts(app).replace("\\", "")


def test_what_is_configured_is_audited_without_its_secrets(app: AppTest) -> None:
    on(app, "audit")
    text = "unclean.leader.election.enable=true\nssl.key.password=hunter2\n"
    labelled(app.text_area, "server.properties").set_value(text).run()
    found = planner.audit(planner.load("preset:ecommerce"), broker={"unclean.leader.election.enable": "true"})
    assert titled(app) == views.sentence(text_audit.audit_sentence(found))
    assert "hunter2" not in texts(app)
    labelled(app.text_area, "server.properties").set_value("num.io.threads=many\n").run()
    assert "not a number" in app.error[0].value
    assert titled(app).startswith("The audit passes")


def test_measurements_of_every_layer_are_kept(app: AppTest) -> None:
    on(app, "audit")
    labelled(app.segmented_control, "What to look at").set_value("diagnose").run()
    labelled(app.segmented_control, "Layer").set_value("broker_disk").run()
    labelled(app.text_input, "Time that the leader").set_value("800ms").run()
    labelled(app.segmented_control, "Layer").set_value("consumer").run()
    found = planner.diagnose(planner.load("preset:ecommerce"), {"disk_local_s": "800ms"})
    assert titled(app) == views.sentence(found.sentence)
    labelled(app.segmented_control, "What to look at").set_value("monitoring").run()
    pack = planner.monitoring(planner.load("preset:ecommerce"))
    assert titled(app).startswith(f"{len(pack.alerts)} alert rules")


def test_scenarios_are_compared_with_what_differs(app: AppTest) -> None:
    on(app, "compare")
    labelled(app.multiselect, "With worked").set_value(["ecommerce"]).run()
    assert "Nothing differs" in texts(app)
    labelled(app.multiselect, "With worked").set_value([]).run()
    assert titled(app).startswith("Choose")


def test_a_refused_type_says_why(app: AppTest) -> None:
    on(app, "hardware")
    found = planner.search(planner.load("preset:ecommerce"))
    row = next(row for row in found.rows if not row.feasible)
    labelled(app.selectbox, "Type, refused").set_value(row.type).run()
    assert views.sentence(f"{row.type}: {row.reason}.") in texts(app)
    assert found.best is not None
    labelled(app.button, "Plan with").click().run()
    assert not app.exception
    shop = planner.load("preset:ecommerce", [f"cluster.broker={found.best.broker}"])
    assert on(app, "plan") == views.sentence(planner.plan(shop).headline[0])


def test_every_format_is_offered(app: AppTest) -> None:
    on(app, "report")
    offered: Any = app.get("download_button")
    assert {"Web page", "PDF", "Workbook", "Markdown", "Topics (CSV)", "JSON"} <= {button.label for button in offered}
