"""Rates, peaks and growth from a Prometheus that scrapes the brokers.

The names are those of the JMX exporter with its example rules (Strimzi's too), of Strimzi's metrics reporter, of the
JMX exporter without rules, and of kafka_exporter and kminion for record rates alone. Requests come from RequestMetrics:
TotalProduceRequestsPerSec counts partitions in requests.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import math
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from planner.fields import InputError, ScenarioError, refusal, shorten
from planner.sources.connection import NotReadError, bounded
from planner.sources.facts import Facts, Gap, Rates, TopicFacts

MAX_BYTES = 100_000_000
_DAY_S = 86_400.0
_LONGEST_RANGE_S = 400 * _DAY_S
_GROWTH_S = 365 * _DAY_S  # looked back for a trend
_LEAST_DAYS = 14
_RATE_S = (60.0, 300.0)  # least and most of the window of a rate
_WINDOWS = 20  # of a rate in the range, at least
_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,100}")
_REQUESTS = 'request=~"Produce|FetchConsumer|FetchFollower"'


@dataclass(frozen=True, slots=True)
class _Style:
    """What one exporter calls the metrics: name, labels that choose, and the label of the topic."""

    title: str
    bytes_in: tuple[str, str] | None
    records_in: tuple[str, str]
    bytes_out: tuple[str, str] | None = None
    requests: tuple[str, str] | None = None
    topic: str = "topic"


_STYLES = (
    _Style(
        "the JMX exporter",
        ("kafka_server_brokertopicmetrics_bytesin_total", 'topic!=""'),
        ("kafka_server_brokertopicmetrics_messagesin_total", 'topic!=""'),
        ("kafka_server_brokertopicmetrics_bytesout_total", 'topic!=""'),
        ("kafka_network_requestmetrics_requests_total", _REQUESTS),
    ),
    _Style(
        "Strimzi's metrics reporter",
        ("kafka_server_brokertopicmetrics_bytesinpersec_total", 'topic!=""'),
        ("kafka_server_brokertopicmetrics_messagesinpersec_total", 'topic!=""'),
        ("kafka_server_brokertopicmetrics_bytesoutpersec_total", 'topic!=""'),
        ("kafka_network_requestmetrics_requestspersec_total", _REQUESTS),
    ),
    _Style(
        "the JMX exporter without rules",
        ("kafka_server_BrokerTopicMetrics_Count", 'name="BytesInPerSec",topic!=""'),
        ("kafka_server_BrokerTopicMetrics_Count", 'name="MessagesInPerSec",topic!=""'),
        ("kafka_server_BrokerTopicMetrics_Count", 'name="BytesOutPerSec",topic!=""'),
        ("kafka_network_RequestMetrics_Count", f'name="RequestsPerSec",{_REQUESTS}'),
    ),
    _Style("kafka_exporter", None, ("kafka_topic_partition_current_offset", 'topic!=""')),
    _Style("kminion", None, ("kminion_kafka_topic_high_water_mark_sum", 'topic_name!=""'), topic="topic_name"),
)
_CPU = (
    "java_lang_operatingsystem_processcpuload",
    "java_lang_OperatingSystem_ProcessCpuLoad",
    "java_lang_operatingsystem_process_cpu_load",
)
_BROKERS = ("kafka_server_replicamanager_leadercount", 'kafka_server_ReplicaManager_Value{name="LeaderCount"}')


def prometheus_facts(
    url: str, *, range_s: float = 7 * _DAY_S, timeout_s: float = 30.0, match: Mapping[str, str] | None = None
) -> Facts:
    """Averages and peaks of every topic over a range, growth over a year, requests, CPU.

    Parameters
    ----------
    url
        Address of Prometheus, such as `http://127.0.0.1:9090`; nothing else is asked, redirects are refused.
    range_s
        How far back [s].
    timeout_s
        Longest wait for one answer [s].
    match
        Labels that choose the cluster, where Prometheus knows several.

    Returns
    -------
    Facts
        Topics with their rates, the whole cluster's rates, and a gap for what Prometheus does not have.

    Raises
    ------
    ScenarioError
        When an argument is in error, Prometheus cannot be reached, or it knows no Kafka broker.
    """
    ask = _Questions(_checked_url(url), timeout_s, _matchers(match or {}))
    if not 60 <= range_s <= _LONGEST_RANGE_S:  # noqa: PLR2004 - the shortest window of a rate
        raise refusal("This is no range.", "--range", range_s, "1 minute to 400 days")
    style = _style(ask)
    window = min(max(range_s / _WINDOWS, _RATE_S[0]), _RATE_S[1])
    gaps: list[Gap] = []
    topics = _topics(ask, style, range_s, window, gaps)
    if style.bytes_in is None:
        gaps.append(Gap("bytes and requests", f"{style.title} tells record rates only", "sizes of other sources"))
    return Facts(
        sources=("prometheus",),
        topics=topics,
        rates=_rates(ask, style, range_s, window, gaps),
        gaps=tuple(gaps),
    )


def _checked_url(url: str) -> str:
    message, allowed = "", "http://host:9090"
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise refusal("This is no address.", "--prometheus", None, allowed) from None
    if parts.scheme not in ("http", "https") or not host or not url.isprintable():
        message = "This is no address of Prometheus."
    elif parts.username or parts.password:
        # a command line is seen by every user of the machine, so is not repeated either
        raise refusal("An address holds no password here.", "--prometheus", None, allowed)
    elif parts.query or parts.fragment:
        message = "An address ends with its path."
    if message:
        raise refusal(message, "--prometheus", url, allowed)
    return url.rstrip("/")


def _matchers(match: Mapping[str, str]) -> str:
    errors = [
        InputError("--match", shorten(f"{key}={value}"), "This is no label and value.", "label=value")
        for key, value in match.items()
        if not _LABEL.fullmatch(key) or not value.isprintable()
    ]
    if errors:
        raise ScenarioError(errors)
    return "".join(f",{key}={json.dumps(value, ensure_ascii=False)}" for key, value in match.items())


# Asking


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Only the address that was given is asked."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class _Questions:
    """One Prometheus, asked."""

    def __init__(self, url: str, timeout_s: float, matchers: str) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._matchers = matchers
        proxies = [urllib.request.ProxyHandler({})] if _is_here(url) else []
        self._opener = urllib.request.build_opener(_NoRedirect, *proxies)

    def series(self, metric: tuple[str, str]) -> str:
        """A metric with the labels that choose it."""
        name, labels = metric
        return f"{name}{{{(labels + self._matchers).strip(',')}}}"

    def values(self, query: str) -> list[tuple[dict[str, str], float]]:
        """An answer of now: labels and a number, of every series that has one."""
        rows = self._get("query", {"query": query})
        return [(row["metric"], value) for row in rows if (value := _number(row["value"])) is not None]

    def one(self, query: str) -> float | None:
        """A single number."""
        rows = self.values(query)
        return rows[0][1] if len(rows) == 1 else None

    def course(self, query: str, *, range_s: float, step_s: float) -> list[tuple[float, float]]:
        """Times and numbers of the one series of an answer over a range."""
        end = dt.datetime.now(tz=dt.UTC).timestamp()
        rows = self._get("query_range", {"query": query, "start": end - range_s, "end": end, "step": step_s})
        points = rows[0]["values"] if len(rows) == 1 else []
        return [(float(point[0]), value) for point in points if (value := _number(point)) is not None]

    def _get(self, path: str, query: Mapping[str, Any]) -> list[dict[str, Any]]:
        address = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        body = json.loads(bounded(lambda: self._read(address), self._timeout_s + 1))
        return _rows(body)

    def _read(self, address: str) -> bytes:
        try:
            with self._opener.open(address, timeout=self._timeout_s) as reply:
                data: bytes = reply.read(MAX_BYTES + 1)
        except urllib.error.HTTPError as error:
            error.close()
            raise NotReadError(f"it answers {error.code}; redirects and logins are not followed") from None
        if len(data) > MAX_BYTES:
            raise NotReadError("the answer is too large")
        return data


def _is_here(url: str) -> bool:
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _rows(body: Any) -> list[dict[str, Any]]:
    """The series of an answer, in the form that Prometheus documents."""
    data = body.get("data") if isinstance(body, dict) and body.get("status") == "success" else None
    rows = data.get("result") if isinstance(data, dict) else None
    if not isinstance(rows, list):
        raise NotReadError("the answer is not that of Prometheus")
    kept = []
    for row in rows:
        single, many = (row.get("value"), row.get("values")) if isinstance(row, dict) else (None, None)
        points = [single] if single is not None else many
        if not isinstance(points, list) or not all(isinstance(point, list) and len(point) == 2 for point in points):  # noqa: PLR2004 - time and value
            raise NotReadError("the answer is not that of Prometheus")
        labels = row.get("metric")
        kept.append({**row, "metric": labels if isinstance(labels, dict) else {}})
    return kept


def _number(point: list[Any]) -> float | None:
    try:
        value = float(point[1])
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) and isinstance(point[0], int | float) else None


def _tried(ask: Callable[[], Any], what: str, gaps: list[Gap]) -> Any:
    """An answer, or None and a gap."""
    try:
        return ask()
    except NotReadError as error:
        gaps.append(Gap(what, str(error), "not known"))
    except (OSError, ValueError, RecursionError):
        gaps.append(Gap(what, "Prometheus did not answer", "not known"))
    return None


def _style(ask: _Questions) -> _Style:
    """The exporter whose metrics are there."""
    try:
        for style in _STYLES:
            if ask.one(f"count({ask.series(style.bytes_in or style.records_in)})"):
                return style
    except (OSError, ValueError, RecursionError, NotReadError) as error:
        reason = getattr(error, "reason", None) or error
        why = getattr(reason, "strerror", None) or (str(reason) if isinstance(reason, NotReadError) else "no answer")
        message = f"Prometheus cannot be asked there: {why}."
        raise refusal(message, "--prometheus", None, "http://host:9090") from None
    allowed = "a Prometheus that scrapes the brokers: JMX exporter, Strimzi's reporter, kafka_exporter or kminion"
    raise refusal("Prometheus has no metric of a Kafka broker (of these labels).", "--prometheus", None, allowed)


# What is asked


def _over(function: str, inner: str, range_s: float, window_s: float) -> str:
    return f"{function}(({inner})[{range_s:.0f}s:{window_s:.0f}s])"


def _topics(ask: _Questions, style: _Style, range_s: float, window_s: float, gaps: list[Gap]) -> dict[str, TopicFacts]:
    """Average and peak of every topic."""

    def by_topic(function: str, metric: tuple[str, str] | None, what: str) -> dict[str, float]:
        if metric is None:
            return {}
        inner = f"sum by ({style.topic}) (rate({ask.series(metric)}[{window_s:.0f}s]))"
        rows = _tried(lambda: ask.values(_over(function, inner, range_s, window_s)), what, gaps) or []
        return {
            labels[style.topic]: value
            for labels, value in rows
            if _TOPIC.fullmatch(str(labels.get(style.topic, ""))) and value >= 0
        }

    records = by_topic("avg_over_time", style.records_in, "record rates")
    peaks = by_topic("max_over_time", style.records_in, "peaks")
    sizes = by_topic("avg_over_time", style.bytes_in, "byte rates")
    return {
        name: TopicFacts(
            records_per_s=records.get(name),
            wire_bytes_per_s=sizes.get(name),
            wire_bytes_per_record=sizes[name] / records[name] if records.get(name) and sizes.get(name) else None,
            peak_ratio=max(1.0, peaks[name] / records[name]) if records.get(name) and name in peaks else None,
        )
        for name in sorted({*records, *sizes})
    }


def _rates(ask: _Questions, style: _Style, range_s: float, window_s: float, gaps: list[Gap]) -> Rates:
    """The whole cluster."""

    def total(metric: tuple[str, str] | None, what: str) -> float | None:
        if metric is None:
            return None
        inner = f"sum(rate({ask.series(metric)}[{window_s:.0f}s]))"
        found: float | None = _tried(lambda: ask.one(_over("avg_over_time", inner, range_s, window_s)), what, gaps)
        return found

    def first(names: tuple[str, ...], question: str, what: str) -> float | None:
        for word in names:
            name, _, labels = word.rstrip("}").partition("{")
            query = question.format(ask.series((name, labels)))
            found: float | None = _tried(partial(ask.one, query), what, gaps)
            if found is not None:
                return found
        return None

    cpu = first(_CPU, f"avg(avg_over_time({{}}[{range_s:.0f}s]))", "CPU")  # the braces: one for the series
    if cpu is None:
        gaps.append(Gap("CPU of the brokers", "Prometheus has no ProcessCpuLoad", "the model's constants"))
    brokers = first(_BROKERS, "count({})", "number of brokers")
    growth = _tried(lambda: _growth(ask, style), "growth", gaps)
    if growth is None:
        gaps.append(Gap("growth", f"fewer than {_LEAST_DAYS} whole days are kept", "none"))
    return Rates(
        wire_in_bytes_per_s=total(style.bytes_in, "bytes in"),
        wire_out_bytes_per_s=total(style.bytes_out, "bytes out"),
        requests_per_s=total(style.requests, "requests"),
        cpu_fraction=cpu if cpu is not None and 0 < cpu <= 1 else None,
        brokers=int(brokers) if brokers and style.bytes_in else None,
        growth_per_year=growth.growth_per_year if growth else None,
        growth_per_year_low=growth.growth_per_year_low if growth else None,
        growth_per_year_high=growth.growth_per_year_high if growth else None,
    )


def _growth(ask: _Questions, style: _Style) -> Any:
    """Growth a year through the days that are kept; the first of them is not whole."""
    import numpy as np

    from planner.model.growth import trend

    metric = style.bytes_in or style.records_in
    points = ask.course(f"sum(increase({ask.series(metric)}[1d]))", range_s=_GROWTH_S, step_s=_DAY_S)
    days = [(at / _DAY_S, value) for at, value in points[1:] if value > 0]
    if len(days) < _LEAST_DAYS:
        return None
    times, sizes = zip(*days, strict=True)
    return trend(days=np.array(times) - times[0], daily_bytes=np.array(sizes))
