"""Hardware and cost: the cheapest brokers that hold, and what every refused type fails at."""

from __future__ import annotations

import streamlit as st

from planner.reports import tables
from planner.ui import answers, frame, state

_SELLERS = {"all": None, "Amazon EC2": ("aws",), "Amazon MSK": ("msk",), "Google Cloud": ("gcp",), "Azure": ("azure",)}


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    left, middle, right = st.columns(3)
    seller = left.selectbox("Seller", list(_SELLERS), key=state.key("seller"))
    prices = middle.selectbox("Prices", ("on_demand", "reserved_3y"), key=state.key("prices"))
    off = right.number_input(
        "Discount, in per cent", min_value=0.0, max_value=99.0, value=0.0, key=state.key("discount")
    )
    answers.show("search", sellers=_SELLERS[seller], prices=prices, discount_fraction=float(off) / 100)
    st.header("The bill of the plan as it is", anchor=False)
    frame.table(tables.cost(plan))


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
