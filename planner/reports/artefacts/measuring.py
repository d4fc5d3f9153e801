"""The load-test sheet: commands that make the planned load, with what the plan predicts beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from planner.constants import constant
from planner.operations.measuring import Measurable, worth_measuring
from planner.reports.artefacts.rates import rates_of
from planner.reports.artefacts.writing import Artefact, made_for, option, word
from planner.reports.markdown import code, prose, section
from planner.reports.tables import Table
from planner.reports.words import FIGURE_LABELS, quantity, unit_of_figure
from planner.results import Plan
from planner.scenario import ConsumerGroup, Topic

_WATCHED = {
    "network_in_bytes_per_s": "node: bytes received",
    "network_out_bytes_per_s": "node: bytes sent",
    "cpu_fraction": "node: CPU of the broker's process",
    "disk_write_bytes_per_s": "node: bytes written",
    "disk_iops": "node: disk operations",
}
_ABOUT = (
    "**For a cluster of its own: the commands write into the topics that they name.** Set `BOOTSTRAP` to host:port of "
    "a broker. TLS and login: add `--command-config FILE` to every line. The options are those of Kafka 4.2 and later; "
    "before, `--command-property` is called `--producer-props`, with `bootstrap.servers=$BOOTSTRAP` in it, and "
    "`--num-records` of the consumer `--messages`."
)
_LEAST_RECORDS = 1000  # of a test that says anything


def load_test(plan: Plan) -> Artefact:
    """The sheet, in Markdown; its commands are bash."""
    blocks = [
        f"# Load test of {prose(plan.name)}",
        prose(made_for(plan.name)),
        _ABOUT,
        *section(_first(worth_measuring(plan)), "No input that a measurement could tell moves this plan."),
        *section(_brokers(plan)),
        *section(_topics(plan)),
    ]
    rates = rates_of(plan)
    for topic in plan.scenario.topics:
        if rates[topic.name].peak > 0:
            blocks += _commands(topic, rates[topic.name].peak)
    return Artefact(
        "load-test.md", "what to measure first, and the load that the plan predicts", "\n\n".join(blocks) + "\n"
    )


def _first(rows: Sequence[Measurable]) -> Table:
    columns = ("input", "where", "varied", "brokers", "partitions", "how")

    def ends(low: float | None, high: float | None) -> str:
        return " to ".join("no count is enough" if value is None else f"{value:.4g}" for value in (low, high))

    shown = tuple(
        (
            row.name,
            "all brokers" if row.topic is None else f"every topic, most in {row.topic}",
            f"{row.low_ratio:.3g} to {row.high_ratio:.3g} times{'' if row.given else ' (assumed range)'}",
            ends(row.brokers_at_low, row.brokers_at_high),
            ends(row.partitions_at_low, row.partitions_at_high),
            row.how,
        )
        for row in rows
    )
    notes = ("Brokers before rounding up, with one input at the ends of its range and all others as planned.",)
    return Table("Measure first", columns, shown, notes)


def _brokers(plan: Plan) -> Table:
    healthy = plan.states["healthy"]
    assert healthy.per_broker is not None  # noqa: S101 - the healthy state is always computed
    assert healthy.fullest is not None  # noqa: S101 - as above
    parts = (healthy.per_broker, healthy.fullest)
    rows = tuple(
        (FIGURE_LABELS[key], *(quantity(part[key], unit_of_figure(key)) for part in parts), where)
        for key, where in _WATCHED.items()
    )
    notes = ("All topics at their peak, all brokers up. What is measured belongs into cluster.calibration.",)
    columns = ("of one broker", "mean, predicted", "fullest, predicted", "measured at")
    return Table("Predicted for the brokers", columns, rows, notes, right=frozenset({1, 2}))


def _topics(plan: Plan) -> Table:
    rates = rates_of(plan)
    columns = ("topic", "records", "wire bytes", "bytes of a record", "records in a batch", "produce requests", "read")
    rows = tuple(
        (
            name,
            quantity(rates[name].peak, "1/s"),
            quantity(found.produce_in_bytes_per_s, "bytes/s"),
            quantity(found.wire_bytes_per_record, "bytes"),
            f"{found.batch_records:.4g}",
            quantity(found.produce_requests_per_s, "1/s"),
            quantity(found.consumer_out_bytes_per_s, "bytes/s"),
        )
        for name, found in plan.topics.items()
    )
    return Table("Predicted for the topics, at peak", columns, rows, right=frozenset(range(1, len(columns))))


def _commands(topic: Topic, rate: float) -> Iterator[str]:
    each = max(math.ceil(rate / topic.producers), 1)
    records = max(math.ceil(each * constant("artefacts.load_test_s")), _LEAST_RECORDS)
    yield f"## {prose(topic.name)}"
    yield f"On {topic.producers} machines at once: {quantity(rate / topic.producers, '1/s')} records each."
    yield _bash(_producer(topic, each, records))
    if topic.compression.codec != "none":
        yield (
            f"{code(_payload(topic))} holds real records, one a line: what the tool makes up by itself compresses "
            f"otherwise than the planned {topic.compression_ratio:g} times."
        )
    for group in topic.consumers:
        members = group.members or 1
        share = rate * group.read_fraction / members
        yield f"Group {prose(group.group)}, {members} at once: {quantity(share, '1/s')} records each."
        yield _bash(_consumer(topic, group, max(math.ceil(share * constant("artefacts.load_test_s")), _LEAST_RECORDS)))


def _bash(words: Sequence[str]) -> str:
    return "```bash\n" + " \\\n    ".join(words) + "\n```"


def _payload(topic: Topic) -> str:
    return f"records-{topic.name}.txt"


def _producer(topic: Topic, rate: int, records: int) -> list[str]:
    size = max(round(topic.record.logical_bytes), 1)
    filled = topic.compression.codec == "none"
    payload = f"--record-size {size}" if filled else option("payload-file", _payload(topic))
    acks = {"acks": topic.acks, "compression.type": topic.compression.codec}
    batch = {"linger.ms": round(topic.batch.linger * 1000), "batch.size": round(topic.batch.size)}
    settings = " ".join(word(f"{key}={value}") for key, value in {**acks, **batch}.items())
    return [
        'kafka-producer-perf-test --bootstrap-server "$BOOTSTRAP"',
        option("topic", topic.name),
        f"--num-records {records} --throughput {rate} {payload}",
        f"--command-property {settings}",
    ]


def _consumer(topic: Topic, group: ConsumerGroup, records: int) -> list[str]:
    """A group of the test's own, so that offsets of the real one stay."""
    return [
        'kafka-consumer-perf-test --bootstrap-server "$BOOTSTRAP"',
        option("topic", topic.name),
        option("group", f"load-test-{group.group}"),
        f"--num-records {records} --from-latest",
    ]
