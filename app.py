"""The app: navigation and nothing else. `make run`, or `kafka-planner app`, starts it."""

from __future__ import annotations

import streamlit as st

from planner.ui import PAGES, page

st.set_page_config(page_title="Kafka planner", layout="wide")
# No :material: icon on a page: the browser would load it from a font service.
st.navigation(
    {
        group: [st.Page(page(name), title=title, default=name == "plan") for name, title in pages.items()]
        for group, pages in PAGES.items()
    },
    position="top",
).run()
