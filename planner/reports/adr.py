"""A recommendation as an architecture decision record in Markdown."""

from __future__ import annotations

import planner
from planner.recommender.recommendation import Recommendation
from planner.reports import text_recommend as words
from planner.reports.markdown import code, prose, section
from planner.reports.words import assumed


def adr_document(found: Recommendation) -> str:
    """Context, decision, consequences, alternatives; equal recommendations give equal bytes."""
    blocks = [
        f"# Decision: messaging for {prose(found.name)}",
        "Status: proposed",
        "## Context",
        "\n".join(f"- {prose(name)}: {prose(words.said(name, value))}" for name, value in found.answers.items())
        or "No question was answered.",
        "## Decision",
        f"**{prose(found.sentence)}**",
        prose(words.confidence_sentence(found)),
        *section(words.reasons_table(found)),
        *section(words.cost_table(found)),
        "\n".join(f"- {prose(line)}" for line in words.money_sentences(found)),
        "## What would change the decision",
        "\n".join(f"- {prose(line)}" for line in [*words.flip_sentences(found), *words.relaxing_sentences(found)]),
        prose(words.no_flip_sentence(found)),
        "## Alternatives",
        *section(words.scores_table(found)),
        *section(words.eliminated_table(found), "No must-have rules anything out."),
        "## Not known",
        "\n".join(f"- {prose(line)}" for line in (words.next_sentence(found), *found.warnings)),
        "## Assumptions",
        "\n".join(
            f"- {code(row.id)}: {prose(assumed(row))} ({prose(row.source)}, {row.confidence} confidence)"
            for row in found.assumptions
        ),
        *section(words.cited(found)),
        f"Computed by kafka-planner {planner.__version__}.",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"
