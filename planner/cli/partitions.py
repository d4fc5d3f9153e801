"""The command about partition counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.common import (
    Format,
    FormatOption,
    ScenarioArgument,
    SetOption,
    answer,
    cli,
    load_scenario,
    read_text_file,
    refusals,
)

if TYPE_CHECKING:
    from planner.reports.page import Page

TopicOption = Annotated[str | None, typer.Option("--topic", metavar="NAME", help="Only this topic.")]


@cli.command("partitions")
def partitions_command(
    scenario: ScenarioArgument,
    *,
    sets: SetOption = None,
    topic: TopicOption = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            "--keys", metavar="FILE", help="A CSV of key and count of the topic: exact skew, hashed as Kafka does."
        ),
    ] = None,
    librdkafka: Annotated[
        bool, typer.Option("--librdkafka", help="Hash the keys as librdkafka's default partitioner: CRC-32.")
    ] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Show why each topic has its partitions, the ladder around the count, ceilings, and how its keys fall."""
    with refusals(form):
        from planner.operations.counts import MOST_BYTES, keys_of, partitions

        counted = None if keys is None else keys_of(read_text_file(keys, MOST_BYTES, "--keys", form))
        found = partitions(load_scenario(scenario, sets), topic=topic, keys=counted, librdkafka=librdkafka)

        def text(page: Page) -> None:
            from planner.reports.text_partitions import partitions_text

            partitions_text(found, page)

        answer(found, form, text)
