"""The app: `views` turns a plan into rows and text; `state` and `inputs` hold what the visitor chose.

A page is one file under `pages` and uses only these. Importing this package loads neither streamlit nor altair.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["page"]


def page(name: str) -> Path:
    """The file of the page called `name`."""
    return Path(__file__).resolve().parent / "pages" / f"{name}.py"
