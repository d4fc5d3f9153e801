"""The importer against real brokers: what it reads equals what was made, and faults end in words and in time."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import planner
from planner import ScenarioError
from planner.sources.conversion import Imported
from planner.sources.live import read_cluster
from tests.live.brokers import Brokers, java, planner_command
from tests.live.cluster import classpath, free_ports

pytestmark = pytest.mark.live

JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="{}" password="{}";'


def _login(user: str, password: str) -> dict[str, str]:
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": JAAS.format(user, password),
    }


@contextmanager
def _admin(brokers: Brokers) -> Iterator[Any]:
    from kafka import KafkaAdminClient

    with KafkaAdminClient(bootstrap_servers=brokers.inside.split(","), request_timeout_ms=120_000) as admin:
        yield admin


def _create(brokers: Brokers, **topics: tuple[int, int, dict[str, str]]) -> None:
    from kafka.admin import NewTopic

    with _admin(brokers) as admin:
        admin.create_topics(
            [NewTopic(name, count, copies, topic_configs=made) for name, (count, copies, made) in topics.items()]
        )
        admin.wait_for_topics(list(topics))


@contextmanager
def _writing(brokers: Brokers, topic: str, per_s: int, size: int, keys: int = 1000) -> Iterator[None]:
    """A producer with a steady rate, in a thread."""
    from kafka import KafkaProducer

    stop = threading.Event()
    producer = KafkaProducer(bootstrap_servers=brokers.inside.split(","), linger_ms=20, acks="all")

    def write() -> None:
        began, count = time.monotonic(), 0
        while not stop.is_set():
            due = int((time.monotonic() - began) * per_s)
            for number in range(count, due):
                producer.send(topic, key=b"k%09d" % (number % keys), value=os.urandom(size))
            count = due
            time.sleep(0.01)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        producer.close(5)


def _until_committed(brokers: Brokers, group: str, partitions: int) -> None:
    """Until a group has committed everywhere: before that there is nothing to take a difference of."""
    end = time.monotonic() + 60
    with _admin(brokers) as admin:
        while time.monotonic() < end:
            with suppress(Exception):
                if len(admin.list_group_offsets([group])[group]) >= partitions:
                    return
            time.sleep(0.5)
    pytest.fail(f"{group} did not commit within a minute")


def _rows(found: Imported) -> dict[str, Any]:
    return {row.topic: row for row in found.measured.topics}


def _topics(found: Imported) -> dict[str, Any]:
    assert found.scenario is not None
    return {topic.name: topic for topic in found.scenario.topics}


def _why(found: Imported) -> str:
    return "; ".join(f"{gap.what}: {gap.why}" for gap in found.gaps)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    with Brokers(tmp_path_factory.mktemp("three"), 3, exporter=True) as brokers:
        _create(
            brokers,
            orders=(6, 3, {"min.insync.replicas": "2", "retention.ms": "86400000", "segment.bytes": "16777216"}),
            logs=(3, 2, {"cleanup.policy": "delete", "retention.bytes": "1000000000"}),
            steady=(3, 2, {}),
            state=(2, 3, {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.3"}),
            **{codec: (2, 1, {}) for codec in ("none", "gzip", "snappy", "lz4", "zstd")},
        )
        yield brokers


@pytest.fixture(scope="module")
def watched(three: Brokers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, float]]:
    """A Prometheus that scrapes the brokers, and a steady load meanwhile; its address, and since when."""
    folder = tmp_path_factory.mktemp("prometheus")
    (port,) = free_ports(1)
    targets = [f"127.0.0.1:{number}" for number in three.metrics]
    scrape = [{"job_name": "kafka", "static_configs": [{"targets": targets}]}]
    # JSON is YAML; an answer of a busy broker takes more than a second
    (folder / "prometheus.yml").write_text(json.dumps({"global": {"scrape_interval": "5s"}, "scrape_configs": scrape}))
    words = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    words += [f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as server:
        try:
            with _writing(three, "steady", 100, 200):
                yield f"http://127.0.0.1:{port}", time.monotonic()
        finally:
            server.terminate()


# A round trip


@pytest.mark.long
def test_what_was_made_and_produced_is_what_is_read(three: Brokers, watched: tuple[str, float]) -> None:
    assert watched  # started here, because it must run a while
    from kafka import KafkaConsumer

    members = [
        KafkaConsumer(
            "orders", bootstrap_servers=three.inside.split(","), group_id="billing", auto_offset_reset="earliest"
        )
        for _ in range(2)
    ]
    done = threading.Event()

    def consume(member: Any) -> None:
        while not done.is_set():
            member.poll(timeout_ms=200)

    threads = [threading.Thread(target=consume, args=(member,), daemon=True) for member in members]
    for thread in threads:
        thread.start()
    try:
        with _writing(three, "orders", 400, 500):
            _until_committed(three, "billing", 6)
            found = read_cluster(three.bootstrap, window_s=20, timeout_s=15)
            seen = three.log_bytes("state")
        with _admin(three) as admin:
            described = {row["name"]: row for row in admin.describe_topics()}
    finally:
        done.set()
        for thread, member in zip(threads, members, strict=True):
            thread.join()
            member.close()

    topics, rows = _topics(found), _rows(found)
    # topics as made
    assert {name: (topic.partitions, topic.replication_factor) for name, topic in topics.items()} == {
        "orders": (6, 3),
        "logs": (3, 2),
        "state": (2, 3),
        "steady": (3, 2),
        **dict.fromkeys(("none", "gzip", "snappy", "lz4", "zstd"), (2, 1)),
    }
    orders = topics["orders"]
    assert (orders.min_insync_replicas, orders.retention.time, orders.segment.bytes) == (2, 86_400, 2**24)
    assert topics["logs"].retention.bytes_per_partition == 1e9
    assert (topics["state"].cleanup, topics["state"].compaction.min_dirty_ratio) == ("compact", 0.3)
    assert rows["orders"].overrides == ("min.insync.replicas", "retention.ms", "segment.bytes")
    # where they are
    assert found.scenario is not None
    placed = found.scenario.cluster.brokers_placed
    assert placed is not None
    assert placed.racks == {"1": "a", "2": "b", "3": "c"}
    for name, lists in placed.topics.items():
        parts = sorted(described[name]["partitions"], key=lambda part: part["partition_index"])
        assert lists == tuple(tuple(part["replica_nodes"]) for part in parts)
    assert found.measured.controllers == (1, 2, 3)
    assert sum(seen.values()) == rows["state"].log_bytes_all == 0
    # rates within some per cent of what was produced; sizes as produced
    assert rows["orders"].records_per_s == pytest.approx(400, rel=0.03)
    assert rows["logs"].idle
    assert orders.record.key_bytes == 10
    assert orders.record.value_bytes == 500
    # the model's bytes of a record, from fill and sizes, against the growth of the logs
    plan = planner.plan(planner.load(found.scenario_text))
    assert plan.topics["orders"].wire_bytes_per_record == pytest.approx(rows["orders"].wire_bytes_per_record, rel=0.03)
    assert plan.topics["orders"].produce_in_bytes_per_s == pytest.approx(
        orders.peak_ratio * rows["orders"].wire_bytes_per_s, rel=0.05
    )
    # the group
    (group,) = orders.consumers
    assert (group.group, group.members, group.protocol) == ("billing", 2, "eager")
    (row,) = found.measured.groups
    assert row.lag is not None
    assert row.lag < 400 * 10  # the client commits every five seconds
    assert row.records_per_s == pytest.approx(400, rel=0.35)
    assert planner.check_live(found, found.scenario).hottest_partition is not None


def test_sizes_are_those_of_the_files(three: Brokers) -> None:
    three.perform("logs", records=3000, size=700)
    found = read_cluster(three.bootstrap, window_s=0, timeout_s=15)
    on_disk = three.log_bytes("logs")
    assert _rows(found)["logs"].log_bytes_all == sum(on_disk.values())
    assert _rows(found)["logs"].records == 3000
    # 61 bytes of header in each batch of 23, and 700 bytes with 9 of framing: 16,384 bytes hold 23 of them
    assert _rows(found)["logs"].wire_bytes_per_record == pytest.approx(61 / 23 + 709, rel=0.002)
    assert _rows(found)["logs"].batch_records == pytest.approx(23, rel=0.02)


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_batches_of_javas_producer_are_opened(three: Brokers, codec: str) -> None:
    three.perform(codec, records=2000, size=1000, codec=codec)
    found = read_cluster(three.bootstrap, window_s=0, timeout_s=15)
    row, topic = _rows(found)[codec], _topics(found)[codec]
    assert row.codec == codec
    assert topic.record.value_bytes == 1000
    assert not any(codec in gap.what for gap in found.gaps if "rate of" not in gap.what), _why(found)
    if codec == "none":
        assert row.compression_ratio == 1
        return
    if codec in ("snappy", "lz4"):  # which only find repeats, and random letters have none
        assert row.compression_ratio == pytest.approx(1, abs=0.005)
    else:  # a random capital letter holds 4.7 bits of its 8
        assert 1.2 < row.compression_ratio < 8 / 4.7 + 0.05
    wire = planner.plan(found.scenario).topics[codec].wire_bytes_per_record  # type: ignore[arg-type]
    assert wire == pytest.approx(row.wire_bytes_per_record, rel=0.01)


def test_a_group_of_the_new_protocol(three: Brokers) -> None:
    if os.environ.get("KAFKA_VERSION", "4").startswith("3"):
        return  # 3.9 has it only behind a switch
    words = ["java", "-Xmx150m", "-cp", classpath(), "org.apache.kafka.tools.consumer.ConsoleConsumer"]
    words += ["--bootstrap-server", three.inside, "--topic", "logs", "--group", "modern", "--from-beginning"]
    words += ["--consumer-property", "group.protocol=consumer"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as consumer:
        try:
            end = time.monotonic() + 40
            while time.monotonic() < end:
                found = read_cluster(three.bootstrap, window_s=0, timeout_s=15)
                groups = {group.group: group for group in _topics(found)["logs"].consumers}
                if "modern" in groups:
                    break
                time.sleep(1)
        finally:
            consumer.kill()
    assert (groups["modern"].protocol, groups["modern"].members) == ("consumer", 1)


def test_files_of_kafkas_tools_say_the_same(three: Brokers) -> None:
    topics = java("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", three.inside, "--describe")
    sizes = java("org.apache.kafka.tools.LogDirsCommand", "--bootstrap-server", three.inside, "--describe")
    found, live = planner.read_sources(topics=topics, log_dirs=sizes), read_cluster(three.bootstrap, window_s=0)
    assert set(_topics(found)) == set(_topics(live))
    for name, topic in _topics(live).items():
        assert _topics(found)[name].partitions == topic.partitions
        if name != "steady":  # which grows all the time
            assert _rows(found)[name].log_bytes_all == _rows(live)[name].log_bytes_all
    assert found.scenario is not None
    assert live.scenario is not None
    assert found.scenario.cluster.brokers_placed is not None
    assert live.scenario.cluster.brokers_placed is not None
    assert dict(found.scenario.cluster.brokers_placed.topics) == dict(live.scenario.cluster.brokers_placed.topics)


# Faults


def _quick(what: Callable[[], Imported], most_s: float) -> Imported:
    began = time.monotonic()
    found = what()
    assert time.monotonic() - began < most_s
    return found


def _refused(what: Callable[[], Imported], most_s: float) -> str:
    began = time.monotonic()
    with pytest.raises(ScenarioError) as refused:
        what()
    assert time.monotonic() - began < most_s
    return str(refused.value)


@pytest.mark.long
def test_ctrl_c_keeps_what_was_measured(three: Brokers, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    words = planner_command("import", "--bootstrap-server", three.bootstrap, "--window", "1h", "-o", str(path))
    with (
        _writing(three, "orders", 200, 300),
        subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - jobs of a shell ignore it
        ) as command,
    ):
        try:
            time.sleep(12)
            command.send_signal(signal.SIGINT)
            out, err = command.communicate(timeout=60)
        finally:
            command.kill()
    assert command.returncode == 0, err
    assert "Traceback" not in err
    assert "interrupted" in out
    orders = next(topic for topic in planner.load(path).topics if topic.name == "orders")
    assert orders.records_per_s == pytest.approx(200, rel=0.1)


@pytest.fixture
def proxy() -> Iterator[Callable[..., int]]:
    """Listeners that answer as the test wants."""
    sockets: list[socket.socket] = []

    def listen(handle: Callable[[socket.socket], None], port: int = 0) -> int:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen(50)
        sockets.append(server)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    threading.Thread(target=handle, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return int(server.getsockname()[1])

    yield listen
    for server in sockets:
        server.close()


def _http(client: socket.socket) -> None:
    with client, suppress(OSError):
        client.recv(1000)
        client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def _silent(client: socket.socket) -> None:
    with client:
        time.sleep(20)


def _noise(client: socket.socket) -> None:
    with client, suppress(OSError):
        while client.recv(1000):
            client.sendall(b"\0\0\0\x20" + os.urandom(32))


@pytest.mark.parametrize("handle", [_http, _silent, _noise])
def test_a_port_that_is_none_of_kafka(proxy: Callable[..., int], handle: Callable[[socket.socket], None]) -> None:
    port = proxy(handle)
    said = _refused(lambda: read_cluster(f"127.0.0.1:{port}", timeout_s=3), 12)
    assert "did not answer as a Kafka broker within 3 s" in said


def test_nothing_listens() -> None:
    (port,) = free_ports(1)
    assert "nothing listens there" in _refused(lambda: read_cluster(f"127.0.0.1:{port}"), 5)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    with Brokers(tmp_path_factory.mktemp("guarded"), sasl=True) as brokers:
        yield brokers


def test_an_empty_cluster(guarded: Brokers, tmp_path: Path) -> None:
    properties = tmp_path / "client.properties"
    properties.write_text("".join(f"{key}={value}\n" for key, value in _login("admin", "admin-hush").items()))
    words = ["import", "--bootstrap-server", guarded.bootstrap, "--command-config", str(properties), "--window", "1s"]
    run = subprocess.run(planner_command(*words), capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert run.stdout.startswith("# 0 topics, 0 partitions, 1 broker and 0 consumer groups read from the cluster")
    assert "no topic was found" in run.stdout
    assert "Traceback" not in run.stderr
    assert "hush" not in run.stdout + run.stderr


def test_wrong_credentials_are_not_tried_over_and_over(guarded: Brokers, proxy: Callable[..., int]) -> None:
    opened: list[socket.socket] = []

    def forward(client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", guarded.outer[0]))
        opened.append(server)
        threading.Thread(target=_pump, args=(server, client), daemon=True).start()
        _pump(client, server)

    port = proxy(forward)
    login = _login("admin", "wrong-hush")
    said = _refused(lambda: read_cluster(f"127.0.0.1:{port}", client_properties=login, timeout_s=20), 30)
    assert "The login was refused" in said
    assert "hush" not in said
    # whether somebody listens, the login, once more when the refusal was lost with the connection, one that had begun
    assert len(opened) <= 4
    # none at all: the broker hangs up without a word
    assert "did not answer" in _refused(lambda: read_cluster(guarded.bootstrap, timeout_s=3), 12)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(4096):
            target.sendall(data)
    for end in (source, target):
        end.close()


def test_few_permissions_give_a_partial_scenario(guarded: Brokers) -> None:
    from kafka.admin import ACL, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

    _create(guarded, open=(2, 1, {}), closed=(1, 1, {}))
    guarded.perform("open", records=1000, size=200)
    allowed = ACL(
        principal="User:reader",
        host="*",
        operation=ACLOperation.DESCRIBE,
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(ResourceType.TOPIC, "open"),
    )
    with _admin(guarded) as admin:
        admin.create_acls([allowed])
    login = _login("reader", "reader-hush")
    found = _quick(lambda: read_cluster(guarded.bootstrap, client_properties=login, window_s=2, timeout_s=10), 25)
    assert set(_topics(found)) == {"open"}  # brokers do not even name the other one
    whys = {gap.what: gap.why for gap in found.gaps}
    assert whys["controllers"] == "not permitted: needs Describe on the cluster"
    assert whys["sizes on broker 1"].startswith("not permitted")
    assert whys["settings of open"].startswith("not permitted")
    assert whys["settings of broker 1"].startswith("not permitted")
    assert whys["batches of open"] == "not permitted on the topic"
    assert _rows(found)["open"].records_per_s == 0
    assert planner.plan(planner.load(found.scenario_text)).topics["open"].partitions == 2


@pytest.mark.long
def test_a_slow_network(tmp_path_factory: pytest.TempPathFactory, proxy: Callable[..., int]) -> None:
    (front,) = free_ports(1)
    with Brokers(tmp_path_factory.mktemp("slow"), advertised=front) as brokers:
        rate = {"bytes_per_s": 1e12, "left": 1e18}

        def pump(source: socket.socket, target: socket.socket, *, slow: bool) -> None:
            with suppress(OSError):
                while data := source.recv(4096):
                    while slow and rate["left"] <= 0:
                        time.sleep(0.1)
                    rate["left"] -= len(data) if slow else 0
                    time.sleep(len(data) / rate["bytes_per_s"] if slow else 0)
                    target.sendall(data)
            for end in (source, target):
                end.close()

        def handle(client: socket.socket) -> None:
            server = socket.create_connection(("127.0.0.1", brokers.outer[0]))
            threading.Thread(target=pump, args=(client, server), kwargs={"slow": False}, daemon=True).start()
            pump(server, client, slow=True)

        proxy(handle, front)
        _create(brokers, **{f"t{number:02d}": (1, 1, {}) for number in range(20)})
        brokers.perform("t00", records=5_000, size=1000)

        rate["bytes_per_s"] = 100e3
        found = _quick(lambda: read_cluster(brokers.bootstrap, window_s=2, timeout_s=5), 40)
        assert len(_topics(found)) == 20
        assert _rows(found)["t00"].records == 5_000  # whatever else was left away
        assert _rows(found)["t00"].records_per_s == 0

        # nothing comes any more after the topics: partial, and over after three questions
        rate.update(bytes_per_s=1e12, left=6_000)
        found = _quick(lambda: read_cluster(brokers.bootstrap, window_s=1, timeout_s=3), 30)
        assert "not asked any more, after 3 questions without an answer" in _why(found)
        rate["left"] = 1e18


@pytest.mark.long
def test_two_thousand_topics_and_some_deleted_meanwhile(guarded: Brokers) -> None:
    for start in range(0, 2000, 250):
        _create(guarded, **{f"many-{number:04d}": (1, 1, {}) for number in range(start, start + 250)})
    once: list[str] = []

    def progress(_done: float, what: str) -> None:
        if what.startswith("watching") and not once:
            once.append(what)
            with _admin(guarded) as admin:
                admin.delete_topics([f"many-{number:04d}" for number in range(10)])

    login = _login("admin", "admin-hush")
    found = _quick(
        lambda: read_cluster(guarded.bootstrap, client_properties=login, window_s=8, timeout_s=20, progress=progress),
        60,
    )
    names = {name for name in _topics(found) if name.startswith("many-")}
    assert len(names) == 1990
    assert any(gap.what == "topic many-0003" and gap.why == "it was deleted while it was read" for gap in found.gaps)
    assert planner.plan(found.scenario).cluster.partitions >= 1990  # type: ignore[arg-type]


# Prometheus


@pytest.mark.long
def test_prometheus_that_scrapes_the_brokers(three: Brokers, watched: tuple[str, float]) -> None:
    url, began = watched
    time.sleep(max(0.0, began + 75 - time.monotonic()))  # the shortest window of a rate is a minute
    found = planner.read_sources(prometheus=url, range_s=60, bootstrap=three.bootstrap, window_s=3)
    row = _rows(found)["steady"]
    # the average of a minute
    assert row.records_per_s == pytest.approx(100, rel=0.05)
    assert row.peak_ratio is not None
    assert found.measured.sources == ("prometheus", "live")
    assert found.scenario is not None
    assert _topics(found)["steady"].partitions == 3
    point = found.scenario.cluster.calibration
    assert point is not None, _why(found)
    assert point.brokers == 3
    assert 0 < point.cpu_fraction <= 1
    assert point.requests_per_s > 0


# The last one, because it costs a broker


def test_a_broker_killed_while_it_is_read(three: Brokers) -> None:
    once: list[str] = []

    def progress(_done: float, what: str) -> None:
        if what.startswith("watching") and not once:
            once.append(what)
            three.kill(2)

    with _writing(three, "orders", 200, 300):
        time.sleep(3)
        found = _quick(lambda: read_cluster(three.bootstrap, window_s=8, timeout_s=8, progress=progress), 60)
    assert once
    assert "broker 2" in _why(found)
    assert _rows(found)["orders"].records_per_s is not None
    assert _rows(found)["orders"].records_per_s > 0
    assert found.scenario is not None
    assert found.scenario.cluster.broker_count == 3
    assert planner.plan(planner.load(found.scenario_text)).topics["orders"].partitions == 6
    # and with the dead broker from the beginning
    found = _quick(lambda: read_cluster(three.bootstrap, window_s=1, timeout_s=8), 45)
    assert "it is down" in _why(found)
