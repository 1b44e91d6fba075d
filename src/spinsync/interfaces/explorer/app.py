"""The page: where everything stands. What it shows and does is in the modules beside it."""

# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

app = marimo.App(width="medium", app_title="spinsync explorer")

with app.setup:
    import marimo as mo

    from spinsync.interfaces.explorer.layout import PAGES, opened


@app.cell
def _():
    mo.md("# spinsync: quantum synchronization, live")


@app.cell
def _():
    tabs = mo.ui.anywidget(opened(mo.query_params().get("page")))
    tabs
    return (tabs,)


@app.cell
def _():
    pages = {key: make() for key, (_, make) in PAGES.items()}
    return (pages,)


@app.cell
def _(pages, tabs):
    pages.get(tabs.value["selected"])


if __name__ == "__main__":
    app.run()
