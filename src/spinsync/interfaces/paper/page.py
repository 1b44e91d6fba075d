"""The report's page: one HTML file next to its figures, without scripts and network access."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

import spinsync as ss
from spinsync.interfaces.paper.claims import Chapter, Claim
from spinsync.interfaces.paper.equations import linked, listed

STYLE_SHEET = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, sans-serif; color: #1c2126; background: #fff; max-width: 46rem; margin: 2rem auto;
       padding: 0 1.2rem; }
p, li, figcaption { max-width: 38rem; }
h1 { font-size: 1.7rem; line-height: 1.25; }
h2 { font-size: 1.25rem; margin-top: 2.6rem; border-top: 1px solid #d9dee3; padding-top: 1.4rem; }
figure { margin: 1.6rem 0; }
img { max-width: 100%; height: auto; }
a { color: #005a8f; }
figcaption { font-size: .92rem; margin-top: .5rem; }
caption, small { color: #4a525b; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; margin-top: 1rem; }
caption { text-align: left; caption-side: top; padding-bottom: .3rem; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #e4e8ec; vertical-align: top; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
code { white-space: nowrap; }
sub, sup { line-height: 0; }
.formula { display: inline-block; padding: .25rem 0 .1rem 1.5rem; font-size: .95rem; }
.holds { color: #00674b; }
.fails { color: #a63b00; font-weight: bold; }
.wide { overflow-x: auto; }
@media print {
  body { font-size: 10pt; max-width: none; margin: 0; padding: 0; }
  p, li, figcaption { max-width: none; }
  figure, tr { break-inside: avoid; }
  h2, caption { break-after: avoid; }
  a { color: inherit; text-decoration: none; }
  .wide { overflow: visible; }
}
"""

ARTICLE = """<h2 id="article">What is known of the article</h2>
<p>The model is that of Z.-H. Yang and D.-B. Zhang, “Spontaneous macroscopic quantum synchronization in an ensemble of
two-level systems”, <a href="https://arxiv.org/abs/2511.10920">arXiv:2511.10920</a>. This report follows the article’s abstract
and summaries of it. They name a nonlinear master equation, a self-consistent limit cycle, the synchronized frequency as a
function of the interaction phase with <i>θ</i> = ±π/2 worked out, a phase diagram over the coupling and the gain-to-damping
ratio, and two detuned groups with full and partial synchronization, an Adler regime and an Arnold tongue.
The article’s equations were not at hand, neither those of one group nor those of two. All equations used here are
spinsync’s own, listed <a href="#equations">at the end</a>. Therefore:</p>
<ul>
<li>The article’s sign of <i>θ</i> and scale of <i>V</i> may differ from those used here. Translate them before comparing
numbers.</li>
<li>“Partial synchronization” means here that each of two groups is synchronized within itself while their mean
frequencies differ. In the article it may mean something else, for example an order parameter between 0 and 1, or that only one
of the groups is synchronized.</li>
<li>“Phase-trapped” is the word used here for groups with equal mean frequencies whose phase difference oscillates; whether the
article makes this distinction is not known here.</li>
<li>No figure of this report claims to be a particular figure of the article.</li>
</ul>
<p>Boundaries of two groups are the closed forms of a symmetric pair. The interaction phases of two groups, the
microscopic master equation for arbitrary complex couplings, and finite numbers of spins go beyond those summaries.</p>
<p>Conventions: ħ = 1. κ is the gain, γ the damping and <i>r</i> = κ/γ their ratio; frequencies are angular. Rates and
frequencies are given in units of γ and times in units of 1/γ; the last chapter, whose example has no damping, says its own
unit. Without another remark there is no dephasing. A spin’s phase <i>φ</i> is the azimuth of its Bloch vector.</p>
"""


def _symbols(text: str) -> str:
    """The text of a claim with minus signs and Greek letters."""
    text = re.sub(r"(?<![\w)])-(?=\d|pi)|(?<=\de)-(?=\d)", "−", text)
    return re.sub(r"\b(theta|pi|gamma)\b", lambda found: {"theta": "θ", "pi": "π", "gamma": "γ"}[found[0]], text)


def _rows(claims: Sequence[Claim]) -> str:
    def row(claim: Claim) -> str:
        verdict = '<td class="holds">holds</td>' if claim.holds else '<td class="fails">FAILS</td>'
        numbers = (_symbols(f"{value:.7g}") for value in (claim.expected, claim.measured, claim.tolerance))
        cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
        words = (linked(_symbols(escape(text))) for text in (claim.claim, claim.why))
        return "<tr><td>{}<br/><small>tolerance: {}</small></td>{}{}</tr>".format(*words, cells, verdict)

    return "\n".join(row(claim) for claim in claims)


def _alternative(caption: str) -> str:
    """The first sentence of a caption as plain text, for readers who do not see the figure."""
    return escape(re.sub(r"<[^>]*>", "", caption).split(". ")[0], quote=True)


def _chapter(index: int, chapter: Chapter, first_figure: int) -> str:
    figures = "\n".join(
        f'<figure id="figure-{number}"><img src="figures/{name}.png" alt="{_alternative(caption)}">'
        f"<figcaption><b>Figure {number}.</b> {linked(caption)} "
        f'<a href="figures/{name}.pdf">PDF</a></figcaption></figure>'
        for number, (name, caption) in enumerate(chapter.captions.items(), first_figure)
    )
    stores = ", ".join(f"data/{name}.zarr" for name in chapter.data)
    return f"""<h2 id="part-{index}">{index}. {escape(chapter.title)}</h2>
{linked(chapter.text)}
{figures}
<div class="wide"><table><caption>Claims of chapter {index}</caption>
<tr><th>claim</th><th>expected</th><th>measured</th><th>tolerance</th><th></th></tr>
{_rows(chapter.claims)}
</table></div>
<p><small>Data: {stores}</small></p>"""


def _contents(chapters: Sequence[Chapter], first_figures: Sequence[int]) -> str:
    """A table of the chapters with the numbers of their figures and of their claims that hold."""
    rows = []
    for index, (chapter, first) in enumerate(zip(chapters, first_figures, strict=True), 1):
        numbers = ", ".join(f'<a href="#figure-{n}">{n}</a>' for n in range(first, first + len(chapter.captions)))
        held = sum(claim.holds for claim in chapter.claims)
        verdict = "holds" if held == len(chapter.claims) else "fails"
        rows.append(
            f'<tr><td><a href="#part-{index}">{index}. {escape(chapter.title)}</a></td><td>{numbers}</td>'
            f'<td class="{verdict}">{held} of {len(chapter.claims)}</td></tr>'
        )
    return "<table><tr><th>chapter</th><th>figure</th><th>claims that hold</th></tr>\n" + "\n".join(rows) + "\n</table>"


def write_page(path: Path, chapters: Sequence[Chapter], *, quick: bool) -> None:
    """Write the report's page to `path`."""
    claims = [claim for chapter in chapters for claim in chapter.claims]
    held = sum(claim.holds for claim in claims)
    how = " on coarser grids and without three chapters (<code>--quick</code>)" if quick else ""
    first_figures = [1 + sum(len(chapter.captions) for chapter in chapters[:index]) for index in range(len(chapters))]
    body = "\n".join(
        _chapter(index, chapter, first) for index, (chapter, first) in enumerate(zip(chapters, first_figures, strict=True), 1)
    )
    path.write_text(
        f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Spontaneous synchronization of two-level systems, reproduced</title><style>{STYLE_SHEET}</style></head><body>
<h1>Spontaneous synchronization of an ensemble of two-level systems, reproduced</h1>
<p><b>{held} of {len(claims)} claims hold.</b> Computed by spinsync {ss.__version__}{how}. Each claim is an expected number, a
measured one and a tolerance with its reason; the tables at the end of the chapters show them all.</p>
{ARTICLE}
<h2>Contents</h2>
{_contents(chapters, first_figures)}
{body}
<h2 id="equations">Equations</h2>
<p>The equations that this report cites, with their numbers on spinsync’s theory page (docs/theory.md), which derives them.</p>
{listed()}
</body></html>
""",
        encoding="utf-8",
    )
