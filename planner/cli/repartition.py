"""The command that tells what a change of a partition count costs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import (
    INFEASIBLE,
    Format,
    FormatOption,
    ScenarioArgument,
    SetOption,
    answer,
    cli,
    load_scenario,
    read_quantity,
    read_text_file,
    refusals,
    refuse,
)

if TYPE_CHECKING:
    from planner.reports.page import Page
    from planner.scenario import InputError


class RouteName(StrEnum):
    """The three ways."""

    ADD = "add_in_place"
    DRAIN = "drain_then_add"
    CUTOVER = "new_topic_and_cutover"


@cli.command("repartition")
def repartition_command(
    scenario: ScenarioArgument,
    *,
    topic: Annotated[str, typer.Option("--topic", metavar="T", help="The topic.")],
    to: Annotated[int, typer.Option("--to", metavar="N", help="Partitions that it shall have, more than now.")],
    throttle: Annotated[
        str | None, typer.Option(metavar="RATE", help="Most that a copier may send: 50MB/s. Default: what is spare.")
    ] = None,
    lag: Annotated[str | None, typer.Option(metavar="TIME", help="How far consumers are behind: 10min.")] = None,
    route: Annotated[
        RouteName | None, typer.Option("--route", help="Show the steps of this route, not of the recommended one.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A CSV of key and count of the topic: hashed as Kafka does.")
    ] = None,
    librdkafka: Annotated[
        bool, typer.Option("--librdkafka", help="Hash the keys as librdkafka's default partitioner: CRC-32.")
    ] = False,
    sets: SetOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Give a topic more partitions: what moves, breaks and costs, three ways; exit status 1 if the cluster fails."""
    with refusals(form):
        from planner.operations.counts import MOST_BYTES, keys_of
        from planner.operations.repartitioning import repartition

        errors: list[InputError] = []
        rate, behind = (
            read_quantity("--throttle", throttle, "bytes_per_s", errors),
            read_quantity("--lag", lag, "s", errors),
        )
        if errors:
            refuse(errors, form)
        counted = None if keys is None else keys_of(read_text_file(keys, MOST_BYTES, "--keys", form))
        found = repartition(
            load_scenario(scenario, sets),
            topic,
            to,
            throttle=rate,
            lag=behind,
            keys=counted,
            librdkafka=librdkafka,
        )

        def text(page: Page) -> None:
            from planner.reports.text_repartition import repartition_text

            repartition_text(found, page, route=None if route is None else route.value)

        answer(found, form, text)
    raise typer.Exit(0 if found.holds_meanwhile else INFEASIBLE)
