"""A real Kafka cluster on this machine: KRaft brokers from Kafka's own jars, on free ports of the loopback.

`with Cluster() as kafka:` formats and starts three brokers that are controllers too, each in a rack of its own, waits
until they answer, and stops them by process id. The jars come from Maven (`pom.xml`), or from `KAFKA_HOME/libs`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

HERE: Final = Path(__file__).resolve().parent
JARS: Final = Path(tempfile.gettempdir()) / f"kafka-planner-live-jars-{os.getuid()}"
VERSION: Final = os.environ.get("KAFKA_VERSION", "4.3.1")
HEAP: Final = "384m"
BEANS: Final = (  # a scrape of all of them takes a second
    "kafka.server:type=BrokerTopicMetrics,*",
    "kafka.server:type=KafkaServer,*",
    "kafka.server:type=ReplicaManager,*",
    "kafka.server:type=SessionExpireListener,*",
    "kafka.network:type=RequestMetrics,name=RequestsPerSec,*",
    "kafka.log:type=Log,name=Size,*",
)
RUNNING: Final = 3.0  # the state of a broker that serves
# small and quick, where nothing that is measured depends on it
PROPERTIES: Final[Mapping[str, str]] = {
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.initial.task.delay.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "offsets.topic.num.partitions": "3",
    "transaction.state.log.num.partitions": "3",
    "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
}


class Cluster:
    """Brokers as processes of this machine, numbered from 1."""

    def __init__(
        self, racks: Sequence[str] = ("a", "b", "c"), properties: Mapping[str, str] | None = None, controllers: int = 3
    ) -> None:
        self.racks = tuple(racks)
        self.brokers = tuple(range(1, len(racks) + 1))
        self.folder = Path(tempfile.mkdtemp(prefix="kafka-planner-live-"))
        self._own = {**PROPERTIES, **(properties or {})}
        self._controllers = self.brokers[:controllers]
        ports = iter(free_ports(3 * len(racks)))
        self._ports = {broker: (next(ports), next(ports), next(ports)) for broker in self.brokers}
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    # Addresses

    @property
    def bootstrap(self) -> str:
        """Addresses of the brokers that run, as clients take them."""
        return ",".join(f"127.0.0.1:{self._ports[broker][0]}" for broker in self.alive())

    def pid(self, broker: int) -> int:
        """The process of a broker."""
        return self._processes[broker].pid

    def log_dir(self, broker: int) -> Path:
        """Where a broker keeps its logs."""
        return self.folder / f"data{broker}"

    def metrics(self, broker: int) -> dict[str, float]:
        """A broker's metrics now."""
        return scraped(self.metrics_url(broker))

    def metrics_url(self, broker: int) -> str:
        """Where a broker's JMX beans are shown."""
        return f"http://127.0.0.1:{self._ports[broker][2]}/metrics"

    # Life

    def __enter__(self) -> Self:
        try:
            self._format()
            for broker in self.brokers:
                self.start(broker, wait=False)
            for broker in self.brokers:
                self._await(broker)
        except BaseException:
            self.close(keep=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(keep=kind is not None)

    def close(self, *, keep: bool = False) -> None:
        """Kill what runs; the folder stays when something went wrong."""
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()
        if keep:
            sys.stderr.write(f"The brokers' folders are left in {self.folder}\n")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, broker: int, *, wait: bool = True) -> None:
        """Start a broker, again or for the first time."""
        rules = self.folder / "agent.yaml"
        rules.write_text(f"includeObjectNames: {json.dumps(BEANS)}\n", encoding="ascii")
        command = [
            *("java", f"-Xmx{HEAP}", f"-Xms{HEAP}", "-XX:+UseSerialGC", "-Dlog4j2.disable.jmx=true"),
            f"-javaagent:{agent()}=127.0.0.1:{self._ports[broker][2]}:{rules}",
            *("-cp", classpath(), "kafka.Kafka", str(self._file(broker))),
        ]
        with self._log(broker).open("ab") as log:
            self._processes[broker] = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        if wait:
            self._await(broker)

    def kill(self, broker: int) -> None:
        """End a broker as a crash does."""
        self._processes[broker].kill()
        self._processes[broker].wait()

    def stop(self, broker: int) -> None:
        """End a broker as a restart does."""
        self._processes[broker].send_signal(signal.SIGTERM)
        self._processes[broker].wait(timeout=60)

    def alive(self) -> list[int]:
        """Brokers whose process runs."""
        return [broker for broker, process in self._processes.items() if process.poll() is None]

    def _await(self, broker: int) -> None:
        def ready() -> bool:
            if self._processes[broker].poll() is not None:
                raise RuntimeError(f"broker {broker} stopped:\n{self._tail(broker)}")
            with contextlib.suppress(OSError):
                return any("BrokerState" in name and value == RUNNING for name, value in self.metrics(broker).items())
            return False

        try:
            wait_for(ready, 90, f"broker {broker} did not start")
        except TimeoutError as error:
            raise TimeoutError(f"{error}:\n{self._tail(broker)}") from None

    def _tail(self, broker: int) -> str:
        return self._log(broker).read_text(encoding="utf-8", errors="replace")[-3000:]

    # Files

    def _log(self, broker: int) -> Path:
        return self.folder / f"broker{broker}.log"

    def _file(self, broker: int) -> Path:
        return self.folder / f"broker{broker}.properties"

    def _format(self) -> None:
        for broker in self.brokers:
            text = "".join(f"{key}={value}\n" for key, value in self._settings(broker).items())
            self._file(broker).write_text(text, encoding="utf-8")
        identity = tool("kafka.tools.StorageTool", "random-uuid").split()[-1]
        for broker in self.brokers:
            tool("kafka.tools.StorageTool", "format", "-t", identity, "-c", str(self._file(broker)))

    def _settings(self, broker: int) -> dict[str, str]:
        client, quorum, _ = self._ports[broker]
        voters = ",".join(f"{node}@127.0.0.1:{self._ports[node][1]}" for node in self._controllers)
        both = broker in self._controllers
        listeners = f"PLAINTEXT://127.0.0.1:{client}" + (f",CONTROLLER://127.0.0.1:{quorum}" if both else "")
        return {
            "process.roles": "broker,controller" if both else "broker",
            "node.id": str(broker),
            "controller.quorum.voters": voters,
            "listeners": listeners,
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{client}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": str(self.log_dir(broker)),
            "broker.rack": self.racks[broker - 1],
            **self._own,
        }


# Java


@cache
def jars() -> tuple[Path, ...]:
    """Kafka's jars and the metrics agent: fetched once, with one more try when a download fails."""
    folder = JARS / VERSION
    if not (folder / "complete").exists():
        command = [
            *("mvn", "--batch-mode", "--quiet", "-f", str(HERE / "pom.xml"), f"-Dkafka.version={VERSION}"),
            *("dependency:copy-dependencies", f"-DoutputDirectory={folder}"),
        ]
        if subprocess.run(command, check=False).returncode:
            time.sleep(5)
            subprocess.run(command, check=True)
        (folder / "complete").touch()
    return tuple(sorted(folder.glob("*.jar")))


def classpath() -> str:
    """What java is given: the installation at KAFKA_HOME, or the fetched jars without the agent."""
    home = os.environ.get("KAFKA_HOME")
    if home:
        return str(Path(home) / "libs" / "*")
    return ":".join(str(path) for path in jars() if "javaagent" not in path.name)


def agent() -> Path:
    """The jar that shows JMX beans as Prometheus reads them."""
    return next(path for path in jars() if path.name.startswith("jmx_prometheus_javaagent"))


def tool(name: str, *arguments: str) -> str:
    """Run one of Kafka's tools to its end; its output."""
    command = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classpath(), name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def running(name: str, *arguments: str, stdin: int | None = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    """One of Kafka's tools while the block runs."""
    command = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-cp", classpath(), name, *arguments]
    with subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


# Waiting


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody holds now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def wait_for(done: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Look every tenth of a second until it is so."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(otherwise)
        time.sleep(0.1)


def scraped(url: str) -> dict[str, float]:
    """Metrics of a broker, by name with labels as the agent writes them."""
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - our own brokers
        text = answer.read().decode()
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found
