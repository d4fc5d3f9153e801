"""Pictures of results as Vega-Lite dictionaries: pure functions, used alike by the app and by the reports.

A picture is a module of its own. It takes a result or rows of it, and `dark=`, and gives a dictionary for
`st.vega_lite_chart` and for the static SVG of a report. Beside it stands the same in words, for those who do not see
it.
"""
