"""Brokers for the tests of the importer: from Maven's jars, on free loopback ports, with logins or racks as asked.

Jars and ports come from `cluster`; what differs is listeners with logins, and metrics by the exporter's example rules.
"""

from __future__ import annotations

import base64
import socket
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Self

from tests.live.cluster import agent, classpath, free_ports

# the example rules of the exporter, as far as the importer reads what they make
RULES = """lowercaseOutputName: true
rules:
- pattern: kafka.(\\w+)<type=(.+), name=(.+)PerSec\\w*, (.+)=(.+), (.+)=(.+)><>Count
  name: kafka_$1_$2_$3_total
  type: COUNTER
  labels:
    "$4": "$5"
    "$6": "$7"
- pattern: kafka.(\\w+)<type=(.+), name=(.+)PerSec\\w*, (.+)=(.+)><>Count
  name: kafka_$1_$2_$3_total
  type: COUNTER
  labels:
    "$4": "$5"
- pattern: kafka.(\\w+)<type=(.+), name=(.+)PerSec\\w*><>Count
  name: kafka_$1_$2_$3_total
  type: COUNTER
- pattern: kafka.server<type=(.+), name=(.+)><>Value
  name: kafka_server_$1_$2
  type: GAUGE
- pattern: java.lang<type=OperatingSystem><>ProcessCpuLoad
  name: java_lang_operatingsystem_processcpuload
  type: GAUGE
"""
_READY_S = 60.0
_PLAIN = (
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    'user_admin="admin-hush" user_reader="reader-hush";'
)


def java(main: str, *words: str, given: str | None = None, timeout_s: float = 60.0) -> str:
    """What one of Kafka's tools prints."""
    run = subprocess.run(
        ["java", "-Xmx200m", "-cp", classpath(), main, *words],
        capture_output=True,
        text=True,
        input=given,
        timeout=timeout_s,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


class Brokers:
    """Combined brokers and controllers, as many as asked, one rack each (a, b, c, ...)."""

    def __init__(
        self, folder: Path, count: int = 1, *, sasl: bool = False, exporter: bool = False, advertised: int | None = None
    ) -> None:
        """Nothing runs yet; `advertised` is the port of a proxy before a single broker."""
        self.folder, self.count = folder, count
        self._sasl, self._exporter = sasl, exporter
        ports = free_ports(4 * count)
        self.outer, self.inner, self._voters, self.metrics = (ports[start::4] for start in range(4))
        self._advertised = [advertised] if advertised else self.outer
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def bootstrap(self) -> str:
        """Every broker as clients see it."""
        return ",".join(f"127.0.0.1:{port}" for port in self._advertised)

    @property
    def inside(self) -> str:
        """The listener without login and without proxy."""
        return ",".join(f"127.0.0.1:{port}" for port in self.inner)

    def __enter__(self) -> Self:
        # "a" first: an id that begins with - is an option to the tool
        cluster = "a" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
        for number in range(self.count):
            (self.folder / f"server{number + 1}.properties").write_text(self._properties(number))
        with ThreadPoolExecutor() as pool:
            list(pool.map(partial(self._format, cluster), range(1, self.count + 1)))
        try:
            for number in range(1, self.count + 1):
                self.start(number)
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _format(self, cluster: str, number: int) -> None:
        words = ["format", "-t", cluster, "-c", str(self.folder / f"server{number}.properties")]
        java("kafka.tools.StorageTool", *words)

    def __exit__(self, *_: object) -> None:
        for number in list(self._running):
            self.kill(number)

    def start(self, number: int) -> None:
        """Start a broker, again if it was killed."""
        words = ["java", "-Xmx400m", "-cp", classpath()]
        if self._exporter:
            rules = self.folder / "rules.yml"
            rules.write_text(RULES)
            words.insert(1, f"-javaagent:{agent()}=127.0.0.1:{self.metrics[number - 1]}:{rules}")
        words += ["kafka.Kafka", str(self.folder / f"server{number}.properties")]
        with (self.folder / f"server{number}.log").open("ab") as log:
            self._running[number] = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)

    def kill(self, number: int) -> None:
        """End a broker at once, by its process id."""
        process = self._running.pop(number)
        process.kill()
        process.wait()

    def _wait(self) -> None:
        """Until every broker answers and knows all others."""
        from kafka import KafkaAdminClient

        end = time.monotonic() + _READY_S
        for port in self.inner:
            while True:
                with suppress(Exception):
                    socket.create_connection(("127.0.0.1", port), 1).close()  # first, because the client waits longer
                    admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}", bootstrap_timeout_ms=2000)
                    with admin:
                        if len(admin.describe_cluster()["brokers"]) == self.count:
                            break
                dead = [number for number, process in self._running.items() if process.poll() is not None]
                if dead or time.monotonic() > end:
                    log = (self.folder / f"server{dead[0] if dead else 1}.log").read_text()
                    raise RuntimeError(f"brokers did not come up in {self.folder}: {log[-2000:]}")
                time.sleep(0.2)

    def _properties(self, number: int) -> str:
        outer = "SASL_PLAINTEXT" if self._sasl else "PLAINTEXT"
        voters = ",".join(f"{index + 1}@127.0.0.1:{port}" for index, port in enumerate(self._voters))
        least = min(self.count, 3)
        ports = {"OUTER": self.outer, "INNER": self.inner, "CONTROLLER": self._voters}
        listeners = ",".join(f"{name}://127.0.0.1:{row[number]}" for name, row in ports.items())
        lines = [
            "process.roles=broker,controller",
            f"node.id={number + 1}",
            f"controller.quorum.voters={voters}",
            f"listeners={listeners}",
            f"advertised.listeners=OUTER://127.0.0.1:{self._advertised[number]},INNER://127.0.0.1:{self.inner[number]}",
            "controller.listener.names=CONTROLLER",
            "inter.broker.listener.name=INNER",
            f"listener.security.protocol.map=CONTROLLER:PLAINTEXT,INNER:PLAINTEXT,OUTER:{outer}",
            f"log.dirs={self.folder}/data{number + 1}",
            f"broker.rack={'abcdefgh'[number]}",
            f"offsets.topic.replication.factor={least}",
            "offsets.topic.num.partitions=3",
            f"transaction.state.log.replication.factor={least}",
            "transaction.state.log.min.isr=1",
            "group.initial.rebalance.delay.ms=0",
            "log.cleaner.dedupe.buffer.size=4194304",
        ]
        if self._sasl:
            lines += [
                "sasl.enabled.mechanisms=PLAIN",
                f"listener.name.outer.plain.sasl.jaas.config={_PLAIN}",
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users=User:ANONYMOUS;User:admin",
            ]
        return "\n".join(lines) + "\n"

    def log_bytes(self, topic: str) -> dict[tuple[int, int], int]:
        """Bytes of the log files on disk by partition and broker: what the importer's sizes must equal."""
        found: dict[tuple[int, int], int] = {}
        for number in range(1, self.count + 1):
            for path in (self.folder / f"data{number}").glob(f"{topic}-*"):
                found[int(path.name.rpartition("-")[2]), number] = sum(
                    file.stat().st_size for file in path.glob("*.log")
                )
        return found

    def perform(self, topic: str, *, records: int, size: int, rate: int = -1, codec: str = "none", **more: Any) -> None:
        """Write with Java's producer."""
        properties = {"bootstrap.servers": self.inside, "compression.type": codec, "acks": "all", **more}
        words = ["--topic", topic, "--num-records", str(records), "--record-size", str(size), "--throughput", str(rate)]
        words += ["--producer-props", *(f"{key}={value}" for key, value in properties.items())]  # 3.9 knows only these
        java("org.apache.kafka.tools.ProducerPerformance", *words, timeout_s=120)


def planner_command(*words: str) -> list[str]:
    """The command of this environment."""
    return [sys.executable, "-m", "planner.cli", *words]
