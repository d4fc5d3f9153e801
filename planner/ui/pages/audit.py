"""Audit: what of the scenario invites trouble."""

from __future__ import annotations

from planner.ui import answers, frame


def page() -> None:
    """Draw the page."""
    frame.start()
    answers.show("audit")


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
