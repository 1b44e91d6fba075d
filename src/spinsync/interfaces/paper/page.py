"""The report's page: one HTML file next to its figures, without scripts and network access."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import spinsync as ss
from spinsync.interfaces.paper.claims import Chapter, Claim

STYLE_SHEET = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, sans-serif; color: #1c2126; background: #fff; max-width: 62rem; margin: 2rem auto;
       padding: 0 1.2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin-top: 2.6rem; border-top: 1px solid #d9dee3; padding-top: 1.4rem; }
figure { margin: 1.2rem 0; }
img { max-width: 100%; height: auto; }
figcaption, caption, small { color: #4a525b; font-size: .92rem; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; margin-top: 1rem; }
caption { text-align: left; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #e4e8ec; vertical-align: top; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.holds { color: #00674b; }
.fails { color: #a63b00; font-weight: bold; }
.wide { overflow-x: auto; }
nav a { margin-right: 1rem; }
"""

NOTE = """<p>The model is that of Z.-H. Yang and D.-B. Zhang, “Spontaneous macroscopic quantum synchronization in an ensemble of
two-level systems”, <a href="https://arxiv.org/abs/2511.10920">arXiv:2511.10920</a>. Signs and scales are those of spinsync's
theory page; the article's sign of <i>θ</i> and scale of <i>V</i> may differ. Equation numbers refer to that page.
ħ = 1; rates, frequencies and 1/time share one unit.</p>"""


def _rows(claims: Sequence[Claim]) -> str:
    def row(claim: Claim) -> str:
        verdict = '<td class="holds">holds</td>' if claim.holds else '<td class="fails">FAILS</td>'
        numbers = "".join(f'<td class="number">{value:.7g}</td>' for value in (claim.expected, claim.measured, claim.tolerance))
        text = f"<td>{escape(claim.claim)}<br/><small>tolerance: {escape(claim.why)}</small></td>"
        return f"<tr>{text}{numbers}{verdict}</tr>"

    return "\n".join(row(claim) for claim in claims)


def _chapter(index: int, chapter: Chapter) -> str:
    figures = "\n".join(
        f'<figure><img src="figures/{name}.png" alt="{escape(chapter.title)}"><figcaption>{caption} '
        f'(<a href="figures/{name}.pdf">PDF</a>)</figcaption></figure>'
        for name, caption in chapter.captions.items()
    )
    stores = ", ".join(f"data/{name}.zarr" for name in chapter.data)
    return f"""<h2 id="part-{index}">{escape(chapter.title)}</h2>
{chapter.text}
{figures}
<div class="wide"><table><caption>Claims</caption>
<tr><th>claim</th><th>expected</th><th>measured</th><th>tolerance</th><th></th></tr>
{_rows(chapter.claims)}
</table></div>
<p>Data: {stores}</p>"""


def write_page(path: Path, chapters: Sequence[Chapter], *, quick: bool) -> None:
    """Write the report's page to `path`."""
    claims = [claim for chapter in chapters for claim in chapter.claims]
    held = sum(claim.holds for claim in claims)
    links = "".join(f'<a href="#part-{i}">{escape(chapter.title)}</a>' for i, chapter in enumerate(chapters))
    how = " on coarser grids (--quick)" if quick else ""
    body = "\n".join(_chapter(i, chapter) for i, chapter in enumerate(chapters))
    path.write_text(
        f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Spontaneous synchronization of two-level systems, reproduced</title><style>{STYLE_SHEET}</style></head><body>
<h1>Spontaneous synchronization of an ensemble of two-level systems, reproduced</h1>
<p><b>{held} of {len(claims)} claims hold.</b> Computed by spinsync {ss.__version__}{how}.</p>
{NOTE}
<nav>{links}</nav>
{body}
</body></html>
""",
        encoding="utf-8",
    )
