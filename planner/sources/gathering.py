"""Several sources in one import: a live cluster, Prometheus, and files of other tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from planner.fields import refusal
from planner.sources.capacity import capacity_of
from planner.sources.conversion import Imported, imported
from planner.sources.exposition import exported
from planner.sources.facts import Facts, joined
from planner.sources.kafka_tools import replica_sizes_of
from planner.sources.live import Progress, cluster_facts
from planner.sources.prometheus import prometheus_facts
from planner.sources.topic_files import described_topics, sized_topics, strimzi_topics


def read_sources(
    *,
    bootstrap: str | None = None,
    client_properties: Path | Mapping[str, str] | None = None,
    window_s: float = 60.0,
    timeout_s: float = 30.0,
    progress: Progress | None = None,
    prometheus: str | None = None,
    range_s: float = 7 * 86_400.0,
    match: Mapping[str, str] | None = None,
    topics: str | None = None,
    log_dirs: str | None = None,
    strimzi: str | None = None,
    capacity: str | None = None,
    metrics: str | None = None,
    broker: str | None = None,
) -> Imported:
    r"""Read a cluster from all sources that are given; where two know the same thing, the first named here counts.

    Parameters
    ----------
    prometheus
        Address of a Prometheus that scrapes the brokers: rates and peaks over `range_s`.
    bootstrap, client_properties, window_s, timeout_s, progress
        A live cluster, as for `read_cluster`.
    range_s
        How far back Prometheus is asked [s].
    match
        Labels that choose the cluster, where Prometheus knows several.
    topics
        Text that `kafka-topics --describe` printed.
    log_dirs
        Text that `kafka-log-dirs --describe` printed.
    strimzi
        KafkaTopic resources, YAML or JSON.
    capacity
        Cruise Control's `capacity.json`.
    metrics
        A scrape of kafka_exporter or kminion.
    broker
        A machine of the catalogue for what no source tells.

    Returns
    -------
    Imported
        The scenario, what could not be read and why, and the evidence.

    Raises
    ------
    ScenarioError
        When no source is given, one cannot be reached, or a text is not what it should be.

    Examples
    --------
    >>> text = "Topic: t\tPartitionCount: 1\tReplicationFactor: 2\tConfigs: \n"
    >>> read_sources(topics=text).scenario.topics[0].replication_factor
    2
    """
    texts = {"topics": topics, "log_dirs": log_dirs, "strimzi": strimzi, "capacity": capacity, "metrics": metrics}
    if bootstrap is None and prometheus is None and not any(text is not None for text in texts.values()):
        message = "There is nothing to read."
        raise refusal(message, "import", None, "--bootstrap-server, --prometheus, or a file of another tool")

    def all_facts() -> Iterator[Facts]:
        for key, text in texts.items():  # what costs nothing first: a wrong file is told before the cluster is watched
            if text is not None:
                yield _READERS[key](text)
        if prometheus is not None:
            yield prometheus_facts(prometheus, range_s=range_s, timeout_s=timeout_s, match=match)
        if bootstrap is not None:
            yield cluster_facts(
                bootstrap,
                client_properties=client_properties,
                window_s=window_s,
                timeout_s=timeout_s,
                progress=progress,
            )

    found = list(all_facts())
    files = sum(text is not None for text in texts.values())
    return imported(joined([*found[files:], *found[:files]]), broker=broker)


_READERS: Mapping[str, Callable[[str], Facts]] = {
    "topics": described_topics,
    "log_dirs": lambda text: sized_topics(replica_sizes_of(text)),
    "strimzi": strimzi_topics,
    "capacity": capacity_of,
    "metrics": exported,
}
