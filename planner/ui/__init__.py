"""The app: `views` turns a plan into rows and text; `state` and `inputs` hold what the visitor chose.

`frame` is what every page has: inputs, refusals, style, and how answers, tables, pictures and explanations stand on it.
A page is one file under `pages` and uses only these. Importing this package loads neither streamlit nor altair.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["PAGES", "page"]


def page(name: str) -> Path:
    """The file of the page called `name`."""
    return Path(__file__).resolve().parent / "pages" / f"{name}.py"


_GROUPS: Final = {
    "Decide": {"need_kafka": "Need Kafka?"},
    "Size": {"plan": "Plan", "topics": "Topics", "hardware": "Hardware & cost", "compare": "Compare"},
    "Operate": {
        "failure": "Failure",
        "consumers": "Consumers",
        "repartition": "Repartition",
        "growth": "Growth & risk",
        "audit": "Audit & diagnose",
    },
    "Report": {"report": "Report", "method": "Method"},
}
# pages by group, file name and title, as far as their files exist
PAGES: Final = {
    group: {name: title for name, title in pages.items() if page(name).is_file()}
    for group, pages in _GROUPS.items()
    if any(page(name).is_file() for name in pages)
}
