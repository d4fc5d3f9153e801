"""A live cluster as a scenario: what is asked, in which order, and what is kept when a question has no answer."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from planner.fields import InputError, ScenarioError
from planner.sources.answers import Answers, Partition, Reading, facts_of
from planner.sources.client_properties import Login, login_of
from planner.sources.connection import EARLIEST, LATEST, Connection, NotReadError, connected, now_s
from planner.sources.conversion import Imported, imported
from planner.sources.facts import INTERNAL, Facts, Gap
from planner.sources.record_batches import Tally

Progress = Callable[[float, str], None]

_LONGEST_WINDOW_S = 86_400.0
_LONGEST_TIMEOUT_S = 600.0
_LEAST_WINDOW_S = 1.0  # for a rate after an interrupt
_TOPICS_AT_ONCE = 100  # settings of so many come in one answer of some 500 kB
_PARTITIONS_AT_ONCE = 2000
_TRIES = 3  # of offsets whose leader moves
_TRIES_AGAIN = 15  # of those that were known before: a dead broker's session ends after 9 s
_PAUSE_S = 1.0
_SAMPLE_BYTES = 64_000_000  # of all topics together
_SAMPLE_OF_PARTITION = (16_384, 262_144)  # least and most bytes
_SAMPLE_OF_TOPIC = 3  # partitions
_SAMPLE_OF_REPLY = 4_000_000  # bytes
_FIRST_REPLY = 65_536  # bytes, to see how fast the network is
_SHARE_OF_TIMEOUT = 0.1  # of the longest wait, that one answer should take
_LONE_BATCH = 2_000_000  # bytes: above message.max.bytes of almost every cluster
_RECENT = 2000  # records before the end, where a sample begins
_STEP_S = 0.2


def read_cluster(
    bootstrap: str,
    *,
    client_properties: Path | Mapping[str, str] | None = None,
    window_s: float = 60.0,
    timeout_s: float = 30.0,
    progress: Progress | None = None,
    broker: str | None = None,
) -> Imported:
    """Read a running cluster into a scenario with measured values. Nothing in the cluster is changed.

    Parameters
    ----------
    bootstrap
        Addresses of one or more brokers: `host:port,host:port`.
    client_properties
        How to log in: the properties file of a Java client, or its pairs. Secrets are neither kept nor shown.
    window_s
        How long the cluster is watched for rates [s]; 0 = not at all, the rates are then unknown.
    timeout_s
        Longest wait for one answer [s].
    progress
        Called with the part that is done, 0 to 1, and what is done now.
    broker
        A machine of the catalogue for what the protocol does not tell: CPU, memory, network.

    Returns
    -------
    Imported
        The scenario, what could not be read and why, and the evidence. After Ctrl-C what was read until then.

    Raises
    ------
    ScenarioError
        When an argument is in error, or no broker can be reached or logged in to.
    """
    return imported(
        cluster_facts(
            bootstrap,
            client_properties=client_properties,
            window_s=window_s,
            timeout_s=timeout_s,
            progress=progress,
        ),
        broker=broker,
    )


def cluster_facts(
    bootstrap: str,
    *,
    client_properties: Path | Mapping[str, str] | None = None,
    window_s: float = 60.0,
    timeout_s: float = 30.0,
    progress: Progress | None = None,
) -> Facts:
    """What `read_cluster` sees, to be joined with what other sources say."""
    _check(window_s, timeout_s)
    login = login_of(client_properties)
    with connected(bootstrap, login, timeout_s=timeout_s) as connection:
        reader = _Reader(connection, login, window_s, timeout_s, progress or (lambda _done, _what: None))
        reader.read()
    return facts_of(reader.answers)


def _check(window_s: float, timeout_s: float) -> None:
    errors = []
    if not 0 <= window_s <= _LONGEST_WINDOW_S:
        errors.append(InputError("window", window_s, "This is no time to watch.", "0 to 1 day"))
    if not 0 < timeout_s <= _LONGEST_TIMEOUT_S:
        errors.append(InputError("timeout", timeout_s, "This is no time to wait.", "above 0, at most 10 minutes"))
    if errors:
        raise ScenarioError(errors)


class _Reader:
    """Asks, notes answers, and notes every question that had none."""

    def __init__(
        self, connection: Connection, login: Login, window_s: float, timeout_s: float, progress: Progress
    ) -> None:
        self.answers = Answers(tls=login.tls)
        if login.ignored:
            self._gap(f"the settings {', '.join(login.ignored)}", "they are not supported here", "ignored")
        self._ask = connection
        self._window_s = window_s
        self._timeout_s = timeout_s
        self._progress = progress
        self._leaders: dict[Partition, int] = {}
        self._tallies: dict[str, Tally] = {}
        self._refused: dict[str, str] = {}  # topics whose records could not be read, and why
        self._named: set[str] = set()  # topics in the last answer

    def read(self) -> None:
        """All there is; an interrupt ends it, and keeps what is there."""
        steps = (
            (self._cluster, "brokers and topics"),
            (self._settings, "settings"),
            (self._groups, "consumer groups"),
            (self._first_reading, "offsets and sizes"),
            (self._samples, "a few record batches"),
            (self._wait, "watching for rates"),
        )
        interrupted = False
        for number, (step, what) in enumerate(steps):
            self._progress(min(0.3, 0.05 * number), what)
            try:
                step()
            except KeyboardInterrupt:
                self._gap(f"{what} and what follows", "interrupted", "what was read until then")
                interrupted = True
                break
        self._last_reading(interrupted=interrupted)
        self._progress(1.0, "done")

    def _gap(self, what: str, why: object, instead: str = "") -> None:
        self.answers.gaps.append(Gap(what, str(why), instead))

    # once

    def _cluster(self) -> None:
        try:
            self.answers.cluster = self._ask.cluster()
        except NotReadError as error:
            self._gap("brokers and racks", error, "those that hold replicas, without racks")
        try:
            self.answers.version = self._ask.version()
        except NotReadError as error:
            self._gap("version of the brokers", error)
        try:
            self.answers.quorum = self._ask.quorum()
        except NotReadError as error:
            self._gap("controllers", error)
        self._topics()
        for row in self.answers.cluster.get("brokers", ()):
            if row.get("is_fenced"):
                self._gap(f"state of broker {row['broker_id']}", "it is down", "counted as a broker")

    def _topics(self) -> None:
        try:
            rows = self._ask.topics()
        except NotReadError as error:
            if not self.answers.topics:
                self._gap("topics", error)
            return
        for row in rows:
            if row.get("error_code"):
                self._gap(f"topic {row.get('name')}", "it could not be described", "left out")
        self._named = {row["name"] for row in rows}
        # kept from the first time on: what is deleted meanwhile is told, what is made meanwhile is left out
        if not self.answers.topics:
            self.answers.topics = [row for row in rows if not row.get("error_code")]
        self._leaders = {
            (row["name"], part["partition_index"]): part["leader_id"]
            for row in rows
            if not row.get("error_code")
            for part in row["partitions"]
            if part["leader_id"] >= 0
        }

    def _brokers(self) -> list[int]:
        """Brokers that should answer."""
        rows = self.answers.cluster.get("brokers")
        if rows:
            return [row["broker_id"] for row in rows if not row.get("is_fenced")]
        return sorted(set(self._leaders.values()))

    def _settings(self) -> None:
        names = [row["name"] for row in self.answers.topics]
        for part in _parts(names, _TOPICS_AT_ONCE):
            try:
                self.answers.topic_configs |= self._ask.configs("topic", part)
            except NotReadError as error:
                for name in part:
                    self._gap(f"settings of {name}", error, "Kafka's defaults")
        empty = [name for name in names if name in self.answers.topic_configs and not self.answers.topic_configs[name]]
        for name in empty:
            self._gap(f"settings of {name}", "not permitted: needs DescribeConfigs, or the topic is gone", "defaults")
        for broker in self._brokers():
            try:
                found = self._ask.configs("broker", [str(broker)]).get(str(broker), {})
            except NotReadError as error:
                self._gap(f"settings of broker {broker}", error, "defaults")
                continue
            if found:
                self.answers.broker_configs[broker] = found
            else:
                self._gap(f"settings of broker {broker}", "not permitted: needs DescribeConfigs", "defaults")

    def _groups(self) -> None:
        for broker in self._brokers():
            try:
                rows = self._ask.groups(broker)
            except NotReadError as error:
                self._gap(f"groups of broker {broker}", error, "not known")
                continue
            self._describe(broker, [row for row in rows if row.get("protocol_type", "consumer") in ("consumer", "")])

    def _describe(self, broker: int, rows: Sequence[dict[str, Any]]) -> None:
        kinds: dict[str, list[str]] = {}
        for row in rows:
            name = row["group_id"]
            self.answers.groups[name] = dict(row)
            kinds.setdefault(str(row.get("group_type") or "classic").lower(), []).append(name)
        ask = {"classic": self._ask.classic_groups, "consumer": self._ask.new_groups}
        for kind, names in kinds.items():
            for part in _parts(names, _TOPICS_AT_ONCE):
                if kind not in ask:
                    for name in part:
                        self._gap(f"members of group {name}", f"groups of the kind {kind} cannot be described here")
                    continue
                try:
                    found = ask[kind](part, broker)
                except NotReadError as error:
                    found = {}
                    for name in part:
                        self._gap(f"members of group {name}", error)
                for name, row in found.items():
                    if row.get("error") or row.get("error_code"):
                        self._gap(f"members of group {name}", "not permitted, or the group is gone")
                    else:
                        self.answers.groups[name]["described"] = row

    # twice

    def _first_reading(self) -> None:
        self.answers.readings.append(self._reading(again=False))

    def _last_reading(self, *, interrupted: bool) -> None:
        if not self.answers.readings or not self._window_s:
            return
        times = [at for _, at in self.answers.readings[0].latest.values()]
        watched = now_s() - max(times) if times else 0.0
        if interrupted and watched < _LEAST_WINDOW_S:
            return
        self._progress(0.95, "offsets and sizes again")
        self._topics()
        self.answers.readings.append(self._reading(again=True))

    def _reading(self, *, again: bool) -> Reading:
        """Offsets, sizes, committed offsets, always in this order: the times between two readings are then equal."""
        reading = Reading()
        for broker, part in self._latest(reading, again=again):
            try:
                rows = self._ask.offsets(broker, part, EARLIEST)
            except NotReadError as error:
                self._gap(f"first offsets of broker {broker}", error, "records on disk are not known")
                continue
            reading.earliest |= {key: value for key, value in rows.items() if isinstance(value, int)}
        for broker in self._brokers():
            self._sizes(broker, reading)
        names = [name for name, row in self.answers.groups.items() if row.get("group_type") != "share"]
        for name, found in self._ask.committed(names).items():
            if isinstance(found, str):
                if not again:
                    self._gap(f"committed offsets of group {name}", found, "its lag is not known")
            else:
                reading.committed[name] = found
        reading.committed_at = now_s()
        return reading

    def _latest(self, reading: Reading, *, again: bool) -> list[tuple[int, list[Partition]]]:
        """Next offsets from each leader; a leader that moved or died is looked up anew a few times."""
        wanted = {(row["name"], part["partition_index"]) for row in self.answers.topics for part in row["partitions"]}
        had = self.answers.readings[0].latest.keys() if again else set()
        asked: list[tuple[int, list[Partition]]] = []
        reasons: dict[Partition, str] = {}
        for turn in range(_TRIES_AGAIN):
            # a partition that had a leader gets one again, some seconds after its broker died
            if turn >= (_TRIES_AGAIN if wanted & had else _TRIES) or self._ask.given_up:
                break
            if turn:
                time.sleep(_PAUSE_S)
                self._topics()
            for broker, part in self._by_leader(wanted):
                before = now_s()
                try:
                    rows = self._ask.offsets(broker, part, LATEST)
                except NotReadError as error:
                    reasons |= dict.fromkeys(part, str(error))
                    continue
                at = (before + now_s()) / 2
                reading.latest |= {key: (value, at) for key, value in rows.items() if isinstance(value, int)}
                reasons |= {key: value for key, value in rows.items() if isinstance(value, str)}
                asked.append((broker, [key for key in part if key in reading.latest]))
            wanted -= reading.latest.keys()
            if not {topic for topic, _ in wanted} & self._named:
                break
        self._tell_unknown(wanted, reasons, again=again)
        return asked

    def _tell_unknown(self, wanted: set[Partition], reasons: Mapping[Partition, str], *, again: bool) -> None:
        """Topics that are gone are left out; other partitions stay, without a rate."""
        gone = {topic for topic, _ in wanted} - self._named if self._named else set()
        for topic in sorted(gone):
            self._gap(f"topic {topic}", "it was deleted while it was read", "left out")
        self.answers.topics = [row for row in self.answers.topics if row["name"] not in gone]
        for key in sorted(key for key in wanted if key[0] not in gone):
            unknown = "not asked any more" if self._ask.given_up else "the partition has no leader"
            why = reasons.get(key, unknown)
            self._gap(f"{'second ' if again else ''}offsets of {key[0]}-{key[1]}", why, "its rate is not known")

    def _by_leader(self, wanted: Iterable[Partition]) -> Iterator[tuple[int, list[Partition]]]:
        by_broker: dict[int, list[Partition]] = {}
        for key in sorted(wanted):
            if key in self._leaders:
                by_broker.setdefault(self._leaders[key], []).append(key)
        for broker, keys in sorted(by_broker.items()):
            for part in _parts(keys, _PARTITIONS_AT_ONCE):
                yield broker, part

    def _sizes(self, broker: int, reading: Reading) -> None:
        before = now_s()
        try:
            rows = self._ask.log_dirs(broker)
        except NotReadError as error:
            self._gap(f"sizes on broker {broker}", error, "not known")
            return
        at = (before + now_s()) / 2
        if all(row.get("error_code") for row in rows):  # also when there is no row: then the request was refused
            self._gap(f"sizes on broker {broker}", "not permitted: needs Describe on the cluster", "not known")
            return
        self.answers.log_dirs[broker] = rows
        for row in rows:
            for topic in row["topics"] if not row.get("error_code") else ():
                for part in topic["partitions"]:
                    if not part.get("is_future_key"):
                        reading.sizes[topic["name"], part["partition_index"], broker] = (part["partition_size"], at)

    def _wait(self) -> None:
        """Until the window is over."""
        times = [at for _, at in self.answers.readings[0].latest.values()]
        if not self._window_s or not times:
            return
        end = max(times) + self._window_s
        while (left := end - now_s()) > 0:
            done = 1 - left / self._window_s
            self._progress(0.3 + 0.6 * max(0.0, done), f"watching for rates, {math.ceil(left)} s left")
            time.sleep(min(left, _STEP_S))

    # a few batches of each topic

    def _samples(self) -> None:
        """As much as the network brings in time; each answer says how large the next one may be."""
        ranks = _starts(self.answers.readings[0])
        self._tallies = {topic: Tally() for starts in ranks for topic, _ in starts}
        least, most = _SAMPLE_OF_PARTITION
        size = min(max(_SAMPLE_BYTES // max(1, sum(map(len, ranks))), least), most)
        spending = _Spending(_SAMPLE_BYTES, max(self._window_s, self._timeout_s), self._timeout_s)
        cut: dict[Partition, int] = {}
        for starts in ranks:  # the largest partition of every topic before the second of any
            for broker, keys in self._by_leader(starts):
                rest = keys
                while rest and not spending.over:
                    part, rest = _split(rest, max(1, int(spending.reply_bytes / size)))
                    for key, data in self._fetch(broker, {key: starts[key] for key in part}, size, spending).items():
                        if not self._counted(key[0], data):
                            cut[key] = starts[key]
        for key, start in cut.items():  # the first batch was larger than what was asked for: once more, alone
            if not spending.over and not self._tallies[key[0]].batches and key in self._leaders:
                for data in self._fetch(self._leaders[key], {key: start}, _LONE_BATCH, spending).values():
                    self._counted(key[0], data)
        self._tell()

    def _counted(self, topic: str, data: bytes) -> bool:
        """Whether there was a batch in it."""
        tally = self._tallies[topic]
        before = tally.batches + tally.unread.total()
        tally.add(data)
        return tally.batches + tally.unread.total() > before

    def _fetch(
        self, broker: int, starts: Mapping[Partition, int], size: int, spending: _Spending
    ) -> dict[Partition, bytes]:
        """Batches of some partitions, as far as they may be read."""
        began = now_s()
        try:
            rows = self._ask.fetch(broker, starts, partition_bytes=size, reply_bytes=max(_SAMPLE_OF_REPLY, size))
        except NotReadError as error:
            self._refused |= {topic: str(error) for topic, _ in starts}
            if error.late:
                spending.stop()
            return {}
        self._refused |= {key[0]: value for key, value in rows.items() if isinstance(value, str)}
        found = {key: value for key, value in rows.items() if isinstance(value, bytes)}
        spending.spent(sum(map(len, found.values())), now_s() - began)
        return found

    def _tell(self) -> None:
        for name, tally in sorted(self._tallies.items()):
            sample = tally.sample()
            if sample is not None:
                self.answers.samples[name] = sample
            else:
                why = self._refused.get(name, "reading more would have taken too long, or there is none")
                self._gap(f"batches of {name}", why, "record sizes from bytes on disk")
            for reason, count in tally.unread.items():
                self._gap(f"{count} batches of {name}", reason, "not counted")


class _Spending:
    """What samples may cost: bytes, time, and how large an answer may be without keeping other questions waiting."""

    def __init__(self, most_bytes: float, most_s: float, timeout_s: float) -> None:
        self.reply_bytes = float(_FIRST_REPLY)
        self._left_bytes = most_bytes
        self._end = now_s() + most_s
        self._one_s = _SHARE_OF_TIMEOUT * timeout_s

    @property
    def over(self) -> bool:
        """Whether no more is read."""
        return self._left_bytes <= 0 or now_s() >= self._end

    def stop(self) -> None:
        """Read no more."""
        self._left_bytes = 0

    def spent(self, size: int, seconds: float) -> None:
        """Count an answer; the next one may be as large as the network brings in its time, and four times this one."""
        self._left_bytes -= size
        fast = size / max(seconds, 1e-3) * self._one_s
        self.reply_bytes = min(max(fast, 1.0), 4 * self.reply_bytes, _SAMPLE_OF_REPLY)


def _split(items: list[Partition], count: int) -> tuple[list[Partition], list[Partition]]:
    return items[:count], items[count:]


def _parts(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


def _starts(reading: Reading) -> list[dict[Partition, int]]:
    """Where to read, shortly before the ends: of each topic the partition with most records, then the second, ..."""
    by_topic: dict[str, list[tuple[int, Partition]]] = {}
    for key, (latest, _) in reading.latest.items():
        first = reading.earliest.get(key, latest)
        if key[0] not in INTERNAL and latest > first:
            by_topic.setdefault(key[0], []).append((latest - first, key))
    ranks: list[dict[Partition, int]] = [{} for _ in range(_SAMPLE_OF_TOPIC)]
    for rows in by_topic.values():
        for rank, (_, key) in enumerate(sorted(rows, reverse=True)[:_SAMPLE_OF_TOPIC]):
            ranks[rank][key] = max(reading.earliest[key], reading.latest[key][0] - _RECENT)
    return ranks
