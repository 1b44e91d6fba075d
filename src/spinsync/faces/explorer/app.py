"""The page: where everything stands. What it shows and does is in the modules beside it."""

# /// script
# [tool.marimo.display]
# theme = "system"
# ///

import marimo

app = marimo.App(width="medium", app_title="spinsync explorer")

with app.setup:
    import marimo as mo

    from spinsync.faces.explorer.layout import few_spins, one_group, story, two_groups


@app.cell
def _():
    mo.md("# spinsync: quantum synchronization, live")


@app.cell
def _():
    pages = {"One ensemble": one_group(), "Two groups": two_groups(), "Few spins": few_spins(), "Story": story()}
    mo.ui.tabs(pages, value="Story" if mo.query_params().get("page") == "story" else "One ensemble")


if __name__ == "__main__":
    app.run()
