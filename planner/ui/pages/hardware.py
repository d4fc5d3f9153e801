"""Hardware & cost: the cheapest brokers that hold, every type with its cost or why it is refused, and the bill."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import streamlit as st

from planner.optimise import Search, SearchRow
from planner.reports import tables, text_search
from planner.reports.pictures.offers import (
    SELLERS,
    lines_alt,
    lines_spec,
    offers_alt,
    offers_drawn,
    offers_spec,
)
from planner.reports.words import STATE_LABELS, quantity
from planner.results import RESOURCE_WORDS, CostLine, Plan
from planner.ui import asking, frame, state, views

_MOST_BYTES: Final = 1_000_000  # of a table of own machines
_SHOWN: Final = 15
_REST: Final = 5  # types that are picked where nothing is drawn
_SELLERS: Final = tuple(SELLERS)
_SHAPES: Final = {"circle": "●", "square": "■", "triangle-up": "▲", "diamond": "◆"}


def page() -> None:
    """Draw the page."""
    plan, _ = frame.start()
    head = st.container()
    asked = _asked()
    with head:
        found: Search | None = None
        if asking.wanted("Search all types", "search"):
            with st.spinner("Holding every type against the load ..."):
                found = asking.answered("These terms were not taken.", "search", {}, asked)
        if found is None:
            frame.answer_line("The cheapest brokers stand here.")
            return
        _answer(found, plan)
    _scatter(found)
    _type(found)
    _bill(found, plan)
    _tables(found)
    if found.plan is not None:
        frame.explain(found.plan, "brokers.count")


def _asked() -> dict[str, Any]:
    """Whose machines, at which prices."""
    asked: dict[str, Any] = {}
    left, right = st.columns(2)
    with left:
        sellers = st.multiselect("Sellers", _SELLERS, placeholder="all", key="sellers", persist_state="session")
    with right:
        words = {"on_demand": "On demand", "reserved_3y": "Reserved, 3 years (AWS)"}
        prices = asking.one_of("Prices", words, "prices")
    with st.expander("Discount, currency, your own machines"):
        left, middle, right = st.columns(3)
        with left:
            discount = asking.quantity("Off every list price", "fraction", "discount", placeholder="0 %")
        with middle:
            currency = st.text_input(
                "Currency", max_chars=12, placeholder="USD", key="currency", persist_state="session"
            )
        with right:
            rate = asking.quantity("Units of it for a US dollar", "ratio", "currency_rate", placeholder="1")
        st.caption(
            "A CSV with name and price_per_h changes prices of known types; with vcpu, memory, network, volumes, "
            "capacity, throughput and iops it brings machines of your own."
        )
        file = st.file_uploader("Your own machines or prices", type=["csv"], key=state.key("offers"))
    if file is not None:
        asked["offers"] = file.getvalue()[: _MOST_BYTES + 1].decode("utf-8", "replace")
    given = {"discount_fraction": discount, "currency_rate": rate, "currency": currency.strip() or None}
    asked |= {name: value for name, value in given.items() if value is not None}
    if sellers:
        asked["sellers"] = tuple(sellers)
    if prices and prices != "on_demand":
        asked["prices"] = prices
    return asked


def _answer(found: Search, plan: Plan) -> None:
    first, *others = text_search.headline(found)
    word, good = ("Over the budget", False) if found.over_budget else ("Holds", True)
    if found.best is None:
        word, good = "Nothing holds", False
    frame.answer_line(first, others, above=f"{frame.badge(word, good=good)} {views.escape(plan.name)}")
    if found.best is not None and found.best.broker is not None:
        with st.container(horizontal=True):
            count = found.best.count
            st.button(
                f"Plan with {views.escape(found.best.broker)}",
                on_click=_take,
                args=(found.best.broker,),
                help=f"Makes it the broker of the scenario; {count} of them hold.",
            )
    asking.findings(found)


def _take(broker: str) -> None:
    """Make a type the broker of the scenario."""
    state.put("cluster.broker", broker)


# All types


def _scatter(found: Search) -> None:
    drawn = offers_drawn(found)
    if not drawn:
        return
    st.header("Cost against what is left", anchor=False)
    dark, chosen = frame.is_dark(), st.session_state.get("looked_at")
    frame.chart(
        offers_spec(found, dark=dark, chosen=chosen),
        offers_alt(found),
        narrow=offers_spec(found, dark=dark, narrow=True, chosen=chosen),
        key="offers",
        select="cell",
        on_select=_look,
    )
    named = ", ".join(
        f"{_SHAPES[shape]} {seller}"
        for seller, (_, shape) in SELLERS.items()
        if any(row.provider == seller for row in drawn)
    )
    st.caption(
        f"{found.currency} a month, and how much of its fullest limit each type leaves. Named: not beaten in cost, "
        f"refill and headroom at once. {named}. Select a point to see the type."
    )


def _look(key: str) -> None:
    cells = st.session_state[key].selection.get("cell", [])
    if cells and cells[0].get("explain"):
        st.session_state.looked_at = cells[0]["explain"]


def _type(found: Search) -> None:
    """One type: its bill, or why it is refused."""
    st.header("One type", anchor=False)
    rows = {row.type: row for row in found.rows}
    if not rows:
        return
    if st.session_state.get("looked_at") not in rows:
        st.session_state.looked_at = found.best.type if found.best is not None else next(iter(rows))
    name = st.selectbox("Type, refused ones too", list(rows), key="looked_at", persist_state="session")
    row = rows[name]
    if row.feasible:
        st.markdown(f"{frame.badge('Holds', good=True)} {views.sentence(_holds(row, found.currency))}")
    else:
        st.markdown(f"{frame.badge('Refused', good=False)} {views.sentence(f'{row.type}: {row.reason}.')}")
        if row.limit_used_fraction is not None:
            where = f"{RESOURCE_WORDS.get(row.resource or '', '-')}, {STATE_LABELS.get(row.state or '', '-')}"
            st.markdown(views.sentence(f"It comes to {row.limit_used_fraction:.0%} of its limit: {where}."))
    parts = [
        CostLine(item, amount, 0.0, 0.0, "", "")
        for item, amount in (
            ("brokers", row.brokers_per_month),
            ("volumes", row.storage_per_month),
            ("around: controllers, traffic, remote tier", row.around_per_month),
        )
        if amount
    ]
    if parts:
        frame.chart(
            lines_spec(parts, dark=frame.is_dark()),
            lines_alt(parts, found.currency),
            key="type_lines",
            tables=(text_search.offers_table(found, [row], row.type),) if row.feasible else (),
        )
    if row.unpriced:
        st.caption(views.sentence(f"Billed too, at prices that are not known here: {', '.join(row.unpriced)}."))


def _holds(row: SearchRow, currency: str) -> str:
    refill = "never refills" if row.recovery_s is None else f"refills in {quantity(row.recovery_s, 's')}"
    full = f"{RESOURCE_WORDS.get(row.resource or '', '-')} ({STATE_LABELS.get(row.state or '', '-')})"
    return (
        f"{row.count} x {row.broker}: {row.per_month or 0:,.0f} {currency} a month. Its fullest limit is {full}, "
        f"used to {row.limit_used_fraction or 0:.0%}; an empty broker {refill}."
    )


# The bill


def _bill(found: Search, plan: Plan) -> None:
    """Cost lines of the cheapest, and of the plan as it is."""
    for title, planned, key in (
        ("The bill of the cheapest", found.plan, "best"),
        ("The bill of your broker", plan, "own"),
    ):
        if planned is None:
            continue
        st.header(title, anchor=False)
        if planned.cost is None:
            st.markdown(views.sentence(f"Not known: {planned.cost_reason}."))
            continue
        frame.chart(
            lines_spec(planned.cost.lines, dark=frame.is_dark()),
            lines_alt(planned.cost.lines, planned.cost.currency),
            key=f"bill_{key}",
            tables=(tables.cost(planned),),
        )
        money = f"{planned.cost.per_month:,.0f} {planned.cost.currency} a month in all, at list prices."
        st.caption(views.sentence(money))


def _tables(found: Search) -> None:
    held = [row for row in found.rows if row.feasible]
    st.header("All types", anchor=False)
    st.caption(f"{len(held)} of {len(found.rows)} types hold.")
    frame.table(text_search.offers_table(found, held, "Types that hold, the cheapest first"))
    # as a table that scrolls: on a phone sentences would get a word a line
    frame.table(replace(text_search.managed_table(found), prose=frozenset()))
    frame.table(text_search.refused_table(found))


if __name__ == "__main__":  # as Streamlit runs it; an import draws nothing
    page()
