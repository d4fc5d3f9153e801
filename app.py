"""The app: navigation and nothing else. `make run`, or `kafka-planner app`, starts it."""

from __future__ import annotations

import streamlit as st

from planner.ui import page

st.set_page_config(page_title="Kafka planner", layout="wide")
# No :material: icon on a page: the browser would load it from a font service.
st.navigation([st.Page(page("plan"), title="Plan", default=True)], position="top").run()
