"""Questions to a running cluster: read-only, each bounded in time, each with its own failure.

The client is kafka-python (extra `live`); it is imported when a connection is made and nowhere else.
"""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeAlias

from planner.fields import InputError, ScenarioError, refusal, shorten
from planner.sources.client_properties import Login

Partition: TypeAlias = tuple[str, int]

EARLIEST, LATEST = -2, -1  # of a ListOffsets request
_MOST_ADDRESSES = 50
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.%a-z]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})")
_MOST_TIMEOUTS = 3  # in a row; then nothing more is asked
_REPLY_BYTES = 2**28  # configurations of thousands of topics come in one answer
_FETCH_VERSION = 12  # the last one that calls topics by name
_GROUPS_AT_ONCE = 50
_CLOSING_S = 3.0
_LOOK_S = 0.1
_REFUSED = "SaslAuthenticationFailedError"
_MOST_HANG_UPS = 2  # one may be a broker that restarts
_PLAIN_WORDS = {
    "ClusterAuthorizationFailedError": "not permitted: needs Describe on the cluster",
    "TopicAuthorizationFailedError": "not permitted on the topic",
    "GroupAuthorizationFailedError": "not permitted on the group",
    "SaslAuthenticationFailedError": "the login was refused",
    "UnknownTopicOrPartitionError": "the topic is not there any more",
    "NotLeaderForPartitionError": "the leader changed",
    "LeaderNotAvailableError": "the partition has no leader",
    "NodeNotReadyError": "the broker cannot be reached",
    "KafkaConnectionError": "the connection was lost",
    "KafkaTimeoutError": "no answer in time",
    "RequestTimedOutError": "no answer in time",
    "IncompatibleBrokerVersion": "the brokers do not know this request",
    "UnsupportedVersionError": "the brokers do not know this request",
    "UnknownBrokerIdError": "the broker is not known any more",
    "CoordinatorNotAvailableError": "the group's coordinator is not available",
    "NotCoordinatorError": "the group's coordinator changed",
}


class NotReadError(Exception):
    """A question without an answer; the text says why, in words that hold no secret."""

    def __init__(self, reason: str, *, late: bool = False) -> None:
        """Keep the reason, and whether it was the time."""
        super().__init__(reason)
        self.late = late


def reason_of(error: BaseException) -> str:
    """Why a call failed, from the kind of the error: its text may repeat whole requests."""
    name = type(error).__name__
    if name in _PLAIN_WORDS:
        return _PLAIN_WORDS[name]
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Error")).lower()
    return f"the client says: {words}"


def addresses(bootstrap: str) -> list[tuple[str, int]]:
    """Hosts and ports of `host:port,host:port`."""
    found, errors = [], []
    words = [word.strip() for word in bootstrap.split(",") if word.strip()][: _MOST_ADDRESSES + 1]
    for word in words:
        match = _ADDRESS.fullmatch(word)
        if match is None or not 0 < int(match[3]) < 2**16:
            errors.append(InputError("--bootstrap-server", shorten(word), "This is no address.", "host:port"))
        else:
            found.append((match[1] or match[2], int(match[3])))
    if not words or len(words) > _MOST_ADDRESSES:
        errors.append(InputError("--bootstrap-server", None, "The addresses are missing or too many.", "host:port"))
    if errors:
        raise ScenarioError(errors)
    return found


class _Overheard(logging.Handler):
    """The kinds of failure that the client writes into its log and then retries: a wrong password among them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.kinds: set[str] = set()
        self.hung_up = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the kind of an exception, and whether it is about certificates; never its text."""
        for part in record.args if isinstance(record.args, tuple) else ():
            if isinstance(part, Exception):
                self.kinds.add(type(part).__name__)
                if "certificate" in str(part).lower():
                    self.kinds.add("certificate")
                # a refusal that comes together with the end of the connection is lost, and tried again
                self.hung_up += "disconnected" in str(part) and str(record.msg).startswith("Bootstrap connection")

    def refused(self, login: Login) -> bool:
        """Whether the brokers do not let this login in."""
        return _REFUSED in self.kinds or (login.protocol.startswith("SASL") and self.hung_up >= _MOST_HANG_UPS)


@contextmanager
def _silent() -> Iterator[_Overheard]:
    """Keep the client's log to ourselves: at its lowest level it writes passwords, its errors are told as gaps."""
    log, heard = logging.getLogger("kafka"), _Overheard()
    before = (log.level, log.propagate, log.handlers)
    log.setLevel(logging.WARNING)
    log.propagate, log.handlers = False, [heard]
    try:
        yield heard
    finally:
        log.setLevel(before[0])
        log.propagate, log.handlers = before[1:]


@contextmanager
def connected(bootstrap: str, login: Login, *, timeout_s: float) -> Iterator[Connection]:
    """A connection to the cluster, closed at the end.

    Raises
    ------
    ScenarioError
        When no broker can be reached, with the reason of each address.
    """
    hosts = addresses(bootstrap)
    admin_class = _admin_class()
    with _silent() as heard:
        _reachable(hosts, min(timeout_s, 10.0))
        connection = Connection(timeout_s)
        try:
            connection.open(admin_class, hosts, login, heard)
            yield connection
        finally:
            connection.close()


def _admin_class() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the client reads its message files in a way that Python 3.11 warns of
            from kafka import KafkaAdminClient
    except ImportError:
        message = "Reading a live cluster needs kafka-python."
        raise refusal(message, "--bootstrap-server", None, "pip install 'kafka-capacity-planner[live]'") from None
    return KafkaAdminClient


def _reachable(hosts: Sequence[tuple[str, int]], timeout_s: float) -> None:
    """Refuse addresses behind which nothing listens, in plain words and without waiting for the client's retries."""
    errors = []
    for host, port in hosts:
        try:
            bounded(partial(_touch, host, port, timeout_s), timeout_s + 1)
        except (NotReadError, TimeoutError):
            reason = f"no connection within {timeout_s:g} s"
        except ConnectionRefusedError:
            reason = "nothing listens there"
        except socket.gaierror:
            reason = "the name is not known"
        except OSError as error:
            reason = error.strerror or "no connection"
        else:
            return
        errors.append(InputError("--bootstrap-server", shorten(f"{host}:{port}"), f"No broker: {reason}.", "host:port"))
    raise ScenarioError(errors)


def _touch(host: str, port: int, timeout_s: float) -> None:
    socket.create_connection((host, port), timeout_s).close()


def bounded(call: Callable[[], Any], timeout_s: float, given_up: Callable[[], bool] | None = None) -> Any:
    """What a call returns or raises; it is left to itself when it takes too long, so that nothing ever hangs."""
    box: list[tuple[bool, Any]] = []

    def work() -> None:
        try:
            box.append((True, call()))
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            box.append((False, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    end = time.monotonic() + timeout_s
    while thread.is_alive() and (left := end - time.monotonic()) > 0 and not (given_up and given_up()):
        thread.join(min(left, _LOOK_S) if given_up else left)
    if not box:
        raise NotReadError("no answer in time", late=True)
    good, value = box[0]
    if good:
        return value
    raise value


class Connection:
    """One cluster, asked. Every method raises `NotReadError` when there is no answer, and nothing else."""

    def __init__(self, timeout_s: float) -> None:
        """Nothing is opened yet."""
        self._timeout_s = timeout_s
        self._late = 0
        self._admin: Any = None

    def open(self, admin_class: Any, hosts: Sequence[tuple[str, int]], login: Login, heard: _Overheard) -> None:
        """Log in; a refused login is not tried over and over, and whoever answers and is no broker is told."""
        made: list[Any] = []

        def client(**words: Any) -> Any:
            made.append(admin_class.DEFAULT_CONFIG["kafka_client"](**words))
            return made[-1]

        settings = {
            "kafka_client": client,  # kept, to stop it when the login fails
            "bootstrap_servers": [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in hosts],
            "client_id": "kafka-planner",
            "request_timeout_ms": int(self._timeout_s * 1000),
            "bootstrap_timeout_ms": int(self._timeout_s * 1000),
            "reconnect_backoff_max_ms": 1000,
            "receive_message_max_bytes": _REPLY_BYTES,
            **login.settings,
        }
        where = ", ".join(f"{host}:{port}" for host, port in hosts)
        try:
            # a little more than the client's own bound, whose error says more
            self._admin = bounded(lambda: admin_class(**settings), self._timeout_s + 2, lambda: heard.refused(login))
        except Exception as error:  # noqa: BLE001 - whatever the client raises, the user gets a sentence
            for part in made:
                _stopped(part)
            kinds = {type(error).__name__, *heard.kinds, *([_REFUSED] if heard.refused(login) else [])}
            raise _no_cluster(where, kinds, login, self._timeout_s) from None

    def close(self) -> None:
        """Close, or give up closing after a while."""
        admin, self._admin = self._admin, None
        if admin is not None:
            with suppress(Exception):
                bounded(admin.close, _CLOSING_S)

    @property
    def given_up(self) -> bool:
        """Whether so many questions had no answer that no more are asked."""
        return self._late >= _MOST_TIMEOUTS

    def _ask(self, call: Callable[[], Any]) -> Any:
        if self.given_up:
            raise NotReadError(f"not asked any more, after {_MOST_TIMEOUTS} questions without an answer", late=True)
        try:
            found = bounded(call, self._timeout_s + 1)
        except NotReadError:
            self._late += 1
            raise
        except Exception as error:  # noqa: BLE001 - the client's errors, and those of its parsing of answers
            reason = reason_of(error)
            self._late = self._late + 1 if reason == _PLAIN_WORDS["KafkaTimeoutError"] else 0
            raise NotReadError(reason, late=bool(self._late)) from None
        self._late = 0
        return found

    @property
    def _manager(self) -> Any:
        """What sends a request to one broker; the client has no public method for that."""
        return self._admin._manager  # noqa: SLF001

    def _send(self, request: Any, broker: int | None) -> Any:
        manager = self._manager

        async def sent() -> Any:
            return await manager.send(request, node_id=broker)

        return self._ask(lambda: manager.run(sent))

    # the cluster

    def cluster(self) -> dict[str, Any]:
        """Brokers with racks, also those that are down."""
        return dict(self._ask(self._admin.describe_cluster))

    def version(self) -> tuple[int, ...]:
        """The version that the brokers' requests belong to."""
        return tuple(self._ask(lambda: self._manager.broker_version))

    def topics(self) -> list[dict[str, Any]]:
        """Every topic with its partitions."""
        return list(self._ask(self._admin.describe_topics))

    def quorum(self) -> dict[str, Any]:
        """The controllers."""
        return dict(self._ask(self._admin.describe_metadata_quorum))

    def log_dirs(self, broker: int) -> list[dict[str, Any]]:
        """Directories of a broker, with the size of every replica."""
        rows = self._ask(lambda: self._admin.describe_log_dirs(brokers=[broker]))
        return [part for row in rows for part in row["log_dirs"]]

    def configs(self, kind: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """All settings of topics, or of one broker, by name."""
        from kafka.admin import ConfigResource

        resources = [ConfigResource(kind.upper(), name) for name in names]
        found = self._ask(lambda: self._admin.describe_configs(resources, config_filter="all"))
        return dict(found.get(kind.lower(), {}))

    # offsets and records

    def offsets(self, broker: int, partitions: Iterable[Partition], spec: int) -> dict[Partition, int | str]:
        """The first or the next offset of partitions that a broker leads, or why it is not known."""
        from kafka.protocol.consumer import ListOffsetsRequest

        rows: dict[str, list[Any]] = {}
        for topic, partition in partitions:
            row = ListOffsetsRequest.ListOffsetsTopic.ListOffsetsPartition(partition_index=partition, timestamp=spec)
            rows.setdefault(topic, []).append(row)
        asked = [ListOffsetsRequest.ListOffsetsTopic(name=topic, partitions=row) for topic, row in rows.items()]
        reply = self._send(ListOffsetsRequest(replica_id=-1, isolation_level=0, topics=asked, min_version=1), broker)
        return {
            (topic.name, row.partition_index): row.offset if row.error_code == 0 else _reason_of_code(row.error_code)
            for topic in reply.topics
            for row in topic.partitions
        }

    def fetch(
        self, broker: int, starts: Mapping[Partition, int], *, partition_bytes: int, reply_bytes: int
    ) -> dict[Partition, bytes | str]:
        """Record batches from an offset on, as they stand in the log, or why they cannot be read."""
        from kafka.protocol.consumer import FetchRequest

        rows: dict[str, list[Any]] = {}
        for (topic, partition), offset in starts.items():
            row = FetchRequest.FetchTopic.FetchPartition(
                partition=partition, fetch_offset=offset, partition_max_bytes=partition_bytes
            )
            rows.setdefault(topic, []).append(row)
        request = FetchRequest(
            replica_id=-1,
            max_wait_ms=100,
            min_bytes=1,
            max_bytes=reply_bytes,
            isolation_level=0,
            topics=[FetchRequest.FetchTopic(topic=topic, partitions=row) for topic, row in rows.items()],
            min_version=4,
            max_version=_FETCH_VERSION,
        )
        reply = self._send(request, broker)
        return {
            (topic.topic, row.partition_index): bytes(row.records or b"")
            if row.error_code == 0
            else _reason_of_code(row.error_code)
            for topic in reply.responses
            for row in topic.partitions
        }

    # groups

    def groups(self, broker: int) -> list[dict[str, Any]]:
        """The groups that a broker coordinates."""
        return list(self._ask(lambda: self._admin.list_groups(broker_ids=[broker])))

    def classic_groups(self, names: Sequence[str], broker: int) -> dict[str, dict[str, Any]]:
        """Members and protocol of classic groups of one coordinator."""
        return dict(self._ask(lambda: self._admin.describe_groups(list(names), group_coordinator_id=broker)))

    def new_groups(self, names: Sequence[str], broker: int) -> dict[str, dict[str, Any]]:
        """Members of groups of the consumer protocol of one coordinator."""
        request = _describe_request()(group_ids=list(names), include_authorized_operations=False)
        reply = self._send(request, broker)
        return {row["group_id"]: row for row in reply.to_dict()["groups"]}

    def committed(self, names: Sequence[str]) -> dict[str, dict[Partition, int] | str]:
        """Committed offsets of groups, or why they are not known."""
        found: dict[str, dict[Partition, int] | str] = {}
        for start in range(0, len(names), _GROUPS_AT_ONCE):
            part = list(names[start : start + _GROUPS_AT_ONCE])
            try:
                found |= self._committed(part)
            except NotReadError:  # one group that is refused spoils the answer for all
                for name in part:
                    try:
                        found |= self._committed([name])
                    except NotReadError as error:
                        found[name] = str(error)
        return found

    def _committed(self, names: list[str]) -> dict[str, dict[Partition, int]]:
        rows = self._ask(lambda: self._admin.list_group_offsets(names))
        return {
            group: {(place.topic, place.partition): row.offset for place, row in offsets.items() if row.offset >= 0}
            for group, offsets in rows.items()
        }


def _stopped(client: Any) -> None:
    """End a client that never got to a cluster, with its thread."""
    for end in (client.close, client._manager._net.stop):  # noqa: SLF001 - the admin client would, had it been made
        with suppress(Exception):
            bounded(end, _CLOSING_S)


_made: list[Any] = []


def _describe_request() -> Any:
    """The request for groups of the new protocol, which the client lacks; made once, because it registers itself."""
    if not _made:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from kafka.protocol.api_message import ApiMessage

            from planner.sources import messages

            kind = type(ApiMessage)
            names = ("ConsumerGroupDescribeResponse", "ConsumerGroupDescribeRequest")
            _made.extend([kind(name, (ApiMessage,), {}, load_json=messages) for name in names])
    return _made[1]


def _reason_of_code(code: int) -> str:
    from kafka.errors import for_code

    return reason_of(for_code(code)())


def _no_cluster(where: str, kinds: set[str], login: Login, timeout_s: float) -> ScenarioError:
    """Why the client found no cluster, as far as it can be told."""
    if _REFUSED in kinds:
        message = "The login was refused: wrong user name or password, or not a listener for this kind of login."
        return refusal(message, "--command-config", where, "a login that the brokers know")
    if kinds & {"UnsupportedSaslMechanismError", "IllegalSaslStateError"}:
        return refusal("The brokers do not accept this mechanism.", "sasl.mechanism", where, "one that they offer")
    if "certificate" in kinds:
        message = "The broker's certificate is not trusted, or is not for this host."
        return refusal(message, "ssl.truststore.location", where, "the authority that signed it, as PEM")
    sure = "security.protocol of that listener" if login.protocol != "PLAINTEXT" else "is it one without TLS and login?"
    message = f"Something listens there, but it did not answer as a Kafka broker within {timeout_s:g} s."
    return refusal(message, "--bootstrap-server", where, f"a listener for clients, not of controllers; {sure}")


def now_s() -> float:
    """A clock for rates."""
    return time.monotonic()
