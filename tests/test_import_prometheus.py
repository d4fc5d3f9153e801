"""Prometheus: a double that answers as its API is documented, for what is asked and for answers of any kind.

A real Prometheus that scrapes real brokers is asked in tests/live.
"""

from __future__ import annotations

import http.server
import json
import math
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import ScenarioError, read_sources
from planner.sources import prometheus
from planner.sources.connection import NotReadError
from planner.sources.prometheus import prometheus_facts

Answer = Callable[[str, dict[str, str]], Any]


@contextmanager
def _served(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """An address, and the queries that came."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(parts.query))
            asked.append(query.get("query", ""))
            body = answer(parts.path, query)
            if isinstance(body, int):
                self.send_response(body)
                self.send_header("Location", "http://192.0.2.1/elsewhere")
                self.end_headers()
                return
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()


def _vector(*rows: tuple[dict[str, str], float]) -> dict[str, Any]:
    points = [{"metric": labels, "value": [1.7e9, str(value)]} for labels, value in rows]
    return {"status": "success", "data": {"resultType": "vector", "result": points}}


def _brokers(names: dict[str, str], growth: float = 1.0) -> Answer:
    """Three brokers of one exporter: orders with 1000 records/s of 500 bytes and a peak of three times that."""

    def answer(path: str, query: dict[str, str]) -> Any:
        text = query["query"]
        if path.endswith("query_range"):
            start = float(query["start"])
            days = int((float(query["end"]) - start) / 86_400)
            values = [[start + 86_400 * day, str(1e9 * (1 + growth) ** (day / 365))] for day in range(days + 1)]
            return {"status": "success", "data": {"result": [{"metric": {}, "values": values}]}}
        text = text.replace("bytesout", "bytesin").replace("BytesOut", "BytesIn")
        if names["bytes"] not in text and names["records"] not in text and names["requests"] not in text:
            known = {"leadercount": 3.0, "processcpuload": 0.25}
            value = next((number for word, number in known.items() if word in text), None)
            return _vector(*([({}, value)] if value is not None else []))
        if text.startswith("count("):
            return _vector(({}, 3))
        if names["requests"] in text:
            assert 'request=~"Produce|FetchConsumer|FetchFollower"' in text
            return _vector(({}, 4000.0))
        size = 500.0 if names["bytes"] in text else 1.0
        factor = 3.0 if text.startswith("max_over_time") else 1.0
        if "by (" not in text:
            return _vector(({}, 1000.0 * size * factor))
        label = "topic_name" if "topic_name" in text else "topic"
        return _vector(({label: "orders"}, 1000.0 * size * factor), ({label: "idle"}, 0.0), ({label: "bad/name"}, 1.0))

    return answer


STYLES = {
    "jmx": {
        "bytes": "kafka_server_brokertopicmetrics_bytesin_total",
        "records": "kafka_server_brokertopicmetrics_messagesin_total",
        "requests": "kafka_network_requestmetrics_requests_total",
    },
    "strimzi": {
        "bytes": "kafka_server_brokertopicmetrics_bytesinpersec_total",
        "records": "kafka_server_brokertopicmetrics_messagesinpersec_total",
        "requests": "kafka_network_requestmetrics_requestspersec_total",
    },
    "raw": {
        "bytes": 'kafka_server_BrokerTopicMetrics_Count{name="BytesInPerSec"',
        "records": 'kafka_server_BrokerTopicMetrics_Count{name="MessagesInPerSec"',
        "requests": 'kafka_network_RequestMetrics_Count{name="RequestsPerSec"',
    },
}


@pytest.mark.parametrize("style", STYLES)
def test_averages_and_peaks_by_topic(style: str) -> None:
    with _served(_brokers(STYLES[style])) as (url, asked):
        facts = prometheus_facts(url)
    assert set(facts.topics) == {"orders", "idle"}
    orders = facts.topics["orders"]
    assert (orders.records_per_s, orders.wire_bytes_per_record, orders.peak_ratio) == (1000.0, 500.0, 3.0)
    assert facts.topics["idle"].records_per_s == 0.0
    assert facts.rates.requests_per_s == 4000.0
    # the series without a topic is the sum of the others
    assert all('topic!=""' in text for text in asked if "rate(" in text and "requests" not in text.lower())


def test_the_growth_of_daily_bytes_is_fitted() -> None:
    with _served(_brokers(STYLES["jmx"], growth=0.5)) as (url, _):
        rates = prometheus_facts(url).rates
    assert rates.growth_per_year == pytest.approx(0.5, rel=1e-3)
    with _served(_brokers(STYLES["jmx"], growth=0.5)) as (url, _):
        found = read_sources(prometheus=url)
    assert found.scenario is not None
    assert found.scenario.policy.growth_per_year == pytest.approx(0.5, rel=1e-3)
    today = planner.check_live(found)
    assert today.first_limit is not None
    assert today.growth_per_year == pytest.approx(0.5, rel=1e-3)


def test_a_scenario_with_peak_broker_count_and_calibration() -> None:
    with _served(_brokers(STYLES["jmx"])) as (url, _):
        found = read_sources(prometheus=url)
    assert found.scenario is not None
    topic = next(topic for topic in found.scenario.topics if topic.name == "orders")
    assert (topic.records_per_s, topic.peak_ratio) == (1000.0, 3.0)
    cluster = found.scenario.cluster
    assert cluster.brokers == 3
    assert cluster.calibration is not None
    assert (cluster.calibration.requests_per_s, cluster.calibration.cpu_fraction) == (4000.0, 0.25)


def test_labels_choose_the_cluster() -> None:
    with _served(_brokers(STYLES["jmx"])) as (url, asked):
        prometheus_facts(url, match={"namespace": 'a"b'})
    assert all('namespace="a\\"b"' in text for text in asked)


def test_offsets_alone_give_record_rates() -> None:
    names = {"bytes": "-", "requests": "-", "records": "kminion_kafka_topic_high_water_mark_sum"}
    with _served(_brokers(names)) as (url, _):
        facts = prometheus_facts(url)
    assert facts.topics["orders"].records_per_s == 1000.0
    assert facts.topics["orders"].wire_bytes_per_s is None
    assert any(gap.what == "bytes and requests" for gap in facts.gaps)


def test_a_single_question_without_an_answer_is_a_gap() -> None:
    good = _brokers(STYLES["jmx"])

    def answer(path: str, query: dict[str, str]) -> Any:
        return 503 if query["query"].startswith("max_over_time") else good(path, query)

    with _served(answer) as (url, _):
        facts = prometheus_facts(url)
    assert facts.topics["orders"].records_per_s == 1000.0
    assert facts.topics["orders"].peak_ratio is None
    assert any(gap.what == "peaks" and "503" in gap.why for gap in facts.gaps)


@pytest.mark.parametrize("code", [301, 302, 307, 401, 404])
def test_nothing_but_the_address_is_asked(code: int) -> None:
    with _served(lambda _path, _query: code) as (url, _), pytest.raises(ScenarioError, match=f"answers {code}"):
        prometheus_facts(url)


def test_a_slow_answer_ends_in_time() -> None:
    def answer(_path: str, _query: dict[str, str]) -> Any:
        time.sleep(3)
        return _vector()

    began = time.monotonic()
    with _served(answer) as (url, _), pytest.raises(ScenarioError, match="cannot be asked"):
        prometheus_facts(url, timeout_s=0.5)
    assert time.monotonic() - began < 10


def test_an_answer_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "MAX_BYTES", 1000)
    with _served(lambda _path, _query: b"[" * 2000) as (url, _), pytest.raises(ScenarioError, match="too large"):
        prometheus_facts(url)


def test_no_metric_of_a_broker() -> None:
    with _served(lambda _path, _query: _vector()) as (url, _), pytest.raises(ScenarioError, match="no metric"):
        prometheus_facts(url)


@pytest.mark.parametrize(
    "url",
    ["prometheus:9090", "file:///etc/passwd", "http://", "http://h:99999", "http://h/?a=b", "http://user:hush@h:9090"],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        prometheus_facts(url)
    assert refused.value.errors[0].path == "--prometheus"
    assert "hush" not in str([row.to_dict() for row in refused.value.errors])


def test_arguments_in_error() -> None:
    with pytest.raises(ScenarioError, match="no label"):
        prometheus_facts("http://127.0.0.1:1", match={"a b": "c"})
    with pytest.raises(ScenarioError, match="no range"):
        prometheus_facts("http://127.0.0.1:1", range_s=math.inf)
    with pytest.raises(ScenarioError, match="cannot be asked"):
        prometheus_facts("http://127.0.0.1:1")


_JSON = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["status", "data", "result", "metric", "value", "values", "topic"]), inner)
    ),
    max_leaves=12,
)


@given(body=_JSON, wrapped=st.booleans())
def test_any_answer_is_read_or_refused(body: Any, wrapped: bool) -> None:
    found = {"status": "success", "data": {"result": body}} if wrapped else body
    try:
        rows = prometheus._rows(json.loads(json.dumps(found)))
    except NotReadError:
        return
    for row in rows:
        for point in [row["value"]] if row.get("value") is not None else row["values"]:
            value = prometheus._number(point)
            assert value is None or math.isfinite(value)
