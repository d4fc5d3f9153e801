"""Files of Kafka's own tools: assignments of kafka-reassign-partitions, sizes of kafka-log-dirs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from planner.scenario import InputError, ScenarioError, shorten

MAX_BYTES = 100_000_000  # 200,000 partitions with log directories are 40 MB
_MOST_ERRORS = 50
_MOST_PARTITIONS = 100_000  # of one topic
_MOST_NAME = 249  # Kafka's own limit of a topic's name

T = TypeVar("T")

Assigned = dict[str, tuple[tuple[int, ...], ...]]
Sizes = dict[tuple[str, int], float]
ReplicaSizes = dict[tuple[str, int], dict[int, float]]


def read_capped(path: Path) -> str:
    """The text of a file, refused when it is too large, not readable or not UTF-8."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _one(path, f"The file cannot be read: {error.strerror}.", "a readable file") from None
    except ValueError:
        raise _one(path, "This is no file name.", "a readable file") from None
    if len(data) > MAX_BYTES:
        raise _one(path, "The file is too large.", f"at most {MAX_BYTES // 10**6} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _one(path, "The file is not UTF-8 text.", "what the tool printed") from None


def read_tool_file(path: Path, read: Callable[[str], T]) -> T:
    """What `read` makes of the file's text; an error names the file."""
    text = read_capped(path)
    try:
        return read(text)
    except ScenarioError as error:
        name = shorten(path.name)
        faults = (replace(fault, path=f"{name}: {fault.path}" if fault.path else str(name)) for fault in error.errors)
        raise ScenarioError(list(faults)) from None


def check_size(text: str, what: str, most: int) -> None:
    """Refuse a text that no such tool prints; `what` is the path of the error."""
    if len(text) > most:
        raise _one(what, "The text is too large.", f"at most {most // 10**6} MB")


def _one(path: object, message: str, allowed: str) -> ScenarioError:
    return ScenarioError([InputError(shorten(str(path)), None, message, allowed)])


def assignment_of(text: str) -> Assigned:
    """Replica lists by topic from kafka-reassign-partitions JSON, or from what `--generate` prints around it.

    Parameters
    ----------
    text
        `{"version": 1, "partitions": [{"topic": ..., "partition": ..., "replicas": [...]}]}`; other lines around it are
        passed over, and of several such lines the first is read: the current assignment.

    Returns
    -------
    dict
        For each topic the replica list of each partition, preferred leader first.

    Raises
    ------
    ScenarioError
        With everything that is wrong, up to a number of errors that a person would read.

    Examples
    --------
    >>> assignment_of('{"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[2,3]}]}')
    {'t': ((2, 3),)}
    """
    body = _json_of(text, "partitions", "kafka-reassign-partitions")
    found: dict[str, dict[int, tuple[int, ...]]] = {}
    errors: list[InputError] = []
    for index, entry in enumerate(body["partitions"]):
        faults = list(_entry_faults(f"partitions.{index}", entry, found))
        errors += faults
        if not faults:
            found.setdefault(entry["topic"], {})[entry["partition"]] = tuple(entry["replicas"])
    if not errors:
        errors = [
            InputError(name, len(rows), "Partitions are missing: the numbers have gaps.", "all of 0, 1, 2, ...")
            for name, rows in found.items()
            if len(rows) != max(rows) + 1
        ]
    if not body["partitions"]:
        errors.append(InputError("partitions", None, "The assignment is empty.", "at least one partition"))
    _raise(errors)
    return {name: tuple(rows[number] for number in range(len(rows))) for name, rows in found.items()}


def _raise(errors: list[InputError]) -> None:
    if errors:
        more = len(errors) - _MOST_ERRORS
        rest = [InputError("", None, f"{more} more errors of this file are not shown.", "")] if more > 0 else []
        raise ScenarioError([*errors[:_MOST_ERRORS], *rest])


def _json_of(text: str, key: str, tool: str) -> Mapping[str, Any]:
    """The first JSON object in the text, whole or on a line of its own, that has a list under `key`."""
    check_size(text, "", MAX_BYTES)
    for candidate in (text, *(line for line in text.splitlines() if line.lstrip().startswith("{"))):
        try:
            body = json.loads(candidate, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            continue
        if isinstance(body, dict) and isinstance(body.get(key), list):
            if type(body.get("version", 1)) is not int or body.get("version", 1) != 1:
                fault = InputError("version", shorten(body["version"]), "This version of the file is not known.", "1")
                raise ScenarioError([fault])
            return body
    raise _one("", f"This is not the JSON of {tool}.", f'an object with a list "{key}"')


def _entry_faults(path: str, entry: Any, found: Mapping[str, Mapping[int, Any]]) -> Iterator[InputError]:
    if not isinstance(entry, dict):
        yield InputError(path, shorten(entry), "An entry is an object.", "topic, partition, replicas")
        return
    topic, partition, replicas = entry.get("topic"), entry.get("partition"), entry.get("replicas")
    if not _is_name(topic):
        yield InputError(f"{path}.topic", shorten(topic), "This is no topic name.", f"1 to {_MOST_NAME} characters")
    if not _is_number(partition, _MOST_PARTITIONS):
        message = "A partition is a whole number from 0."
        yield InputError(f"{path}.partition", shorten(partition), message, f"0 to {_MOST_PARTITIONS - 1}")
    elif isinstance(topic, str) and partition in found.get(topic, {}):
        message = f"Partition {partition} of {topic} is there twice."
        yield InputError(f"{path}.partition", partition, message, "each partition once")
    if not isinstance(replicas, list) or not replicas or not all(_is_number(broker, 2**31) for broker in replicas):
        message = "Replicas are a list of broker ids, whole numbers from 0."
        yield InputError(f"{path}.replicas", shorten(replicas), message, "at least one broker id")
    elif len(set(replicas)) != len(replicas):
        yield InputError(f"{path}.replicas", shorten(replicas), "A broker is named twice.", "distinct brokers")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MOST_NAME and value.isprintable()


def _is_number(value: Any, below: int) -> bool:
    return type(value) is int and 0 <= value < below


def sizes_of(text: str) -> Sizes:
    """Bytes of a replica by topic and partition from `kafka-log-dirs --describe`: the largest copy of each.

    Parameters
    ----------
    text
        What the tool prints; the lines around its JSON are passed over.

    Returns
    -------
    dict
        Bytes by topic and partition. Copies that are on their way to another directory are not counted.

    Raises
    ------
    ScenarioError
        With everything that is wrong, directories that the broker could not read included.

    Examples
    --------
    >>> sizes_of(
    ...     '{"version":1,"brokers":[{"broker":1,"logDirs":[{"logDir":"/d","error":null,"partitions":'
    ...     '[{"partition":"t-0","size":7,"offsetLag":0,"isFuture":false}]}]}]}'
    ... )
    {('t', 0): 7.0}
    """
    return {key: max(copies.values()) for key, copies in replica_sizes_of(text).items()}


def replica_sizes_of(text: str) -> ReplicaSizes:
    """Bytes of every replica from `kafka-log-dirs --describe`.

    Parameters
    ----------
    text
        What the tool prints; the lines around its JSON are passed over.

    Returns
    -------
    dict
        Bytes by topic and partition, and below by broker. Copies that are on their way to another directory are not
        counted.

    Raises
    ------
    ScenarioError
        With everything that is wrong, directories that the broker could not read included.

    Examples
    --------
    >>> replica_sizes_of(
    ...     '{"version":1,"brokers":[{"broker":1,"logDirs":[{"logDir":"/d","error":null,"partitions":'
    ...     '[{"partition":"t-0","size":7,"offsetLag":0,"isFuture":false}]}]}]}'
    ... )
    {('t', 0): {1: 7.0}}
    """
    body = _json_of(text, "brokers", "kafka-log-dirs --describe")
    found: ReplicaSizes = {}
    errors: list[InputError] = []
    for path, broker, entry in _logs(body["brokers"], errors):
        name, dash, number = str(entry.get("partition", "")).rpartition("-")
        size = entry.get("size")
        if (
            not dash
            or not _is_name(name)
            or not number.isdecimal()
            or not _is_number(int(number[:12]), _MOST_PARTITIONS)
        ):
            message = "This is no topic and partition."
            errors.append(InputError(f"{path}.partition", shorten(entry.get("partition")), message, "topic-0"))
        elif not isinstance(size, int) or not _is_number(size, 2**60):
            message = "A size is a whole number of bytes from 0."
            errors.append(InputError(f"{path}.size", shorten(size), message, "bytes"))
        elif not entry.get("isFuture"):
            found.setdefault((name, int(number)), {})[broker] = float(size)
    _raise(errors)
    return found


def _logs(brokers: list[Any], errors: list[InputError]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Every replica of every directory, with its path and its broker."""
    shape = "the JSON of kafka-log-dirs --describe"
    for position, broker in enumerate(brokers):
        path = f"brokers.{position}.logDirs"
        directories = broker.get("logDirs") if isinstance(broker, dict) else None
        if not isinstance(directories, list):
            errors.append(InputError(path, None, "A broker has a list of directories.", shape))
            continue
        number = broker.get("broker")
        if not _is_number(number, 2**31):
            message = "A broker is a whole number from 0."
            errors.append(InputError(f"brokers.{position}.broker", shorten(number), message, "a broker id"))
            continue
        for index, directory in enumerate(directories):
            yield from _replicas(f"{path}.{index}", number, directory, errors)


def _replicas(
    path: str, broker: int, directory: Any, errors: list[InputError]
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    shape = "the JSON of kafka-log-dirs --describe"
    if not isinstance(directory, dict) or not isinstance(directory.get("partitions"), list):
        errors.append(InputError(path, None, "A directory has a list of partitions.", shape))
    elif directory.get("error"):
        message = "The broker could not read this directory."
        errors.append(InputError(f"{path}.error", shorten(directory["error"]), message, "null"))
    else:
        for index, entry in enumerate(directory["partitions"]):
            at = f"{path}.partitions.{index}"
            if isinstance(entry, dict):
                yield at, broker, entry
            else:
                errors.append(InputError(at, shorten(entry), "An entry is an object.", shape))
