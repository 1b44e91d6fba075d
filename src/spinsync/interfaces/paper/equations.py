"""The equations that the report cites, in HTML, with the numbers of spinsync's theory page."""

from __future__ import annotations

import re

NUMBER = re.compile(r"\((\d\.\d)\)")

#: number -> what it is, formula
EQUATIONS: dict[str, tuple[str, str]] = {
    "1.1": (
        "Coherence, inversion, Bloch vector and phase of a spin",
        "<i>s</i> = ⟨σ<sup>−</sup>⟩, <i>z</i> = ⟨σ<sup><i>z</i></sup>⟩, <b>m</b> = (2 Re <i>s</i>, −2 Im <i>s</i>, <i>z</i>), "
        "<i>φ</i> = −arg <i>s</i>",
    ),
    "1.2": ("Relaxation rates, from gain κ, damping γ and dephasing γ<sub>φ</sub>",
            "Γ<sub>1</sub> = κ + γ, Γ<sub>⊥</sub> = (κ + γ)/2 + γ<sub>φ</sub>"),
    "1.3": ("Inversion without coupling", "<i>z</i><sub>0</sub> = (κ − γ)/(κ + γ)"),
    "2.1": (
        "The coupling of spins <i>i</i> and <i>j</i> of groups <i>a</i> and <i>b</i>, <i>C</i><sub><i>ij</i></sub> = "
        "<i>V</i><sub><i>ab</i></sub> e<sup>i<i>θ</i><sub><i>ab</i></sub></sup>/<i>N</i>, splits into exchange, correlated "
        "pumping and correlated decay",
        "<i>C</i> = <i>H</i><sub>c</sub> + i(<i>K</i><sub>+</sub> − <i>K</i><sub>−</sub>), <i>H</i><sub>c</sub> Hermitian, "
        "<i>K</i><sub>±</sub> ≥ 0",
    ),
    "2.2": (
        "Master equation of <i>N</i> spins, with 𝒟[<i>L</i>]ρ = <i>L</i>ρ<i>L</i><sup>†</sup> − "
        "½{<i>L</i><sup>†</sup><i>L</i>, ρ}",
        "dρ/d<i>t</i> = −i[½ ∑<sub><i>i</i></sub> ω<sub><i>i</i></sub>σ<sup><i>z</i></sup><sub><i>i</i></sub> + "
        "∑<sub><i>i</i>≠<i>j</i></sub> (<i>H</i><sub>c</sub>)<sub><i>ij</i></sub> "
        "σ<sup>+</sup><sub><i>i</i></sub>σ<sup>−</sup><sub><i>j</i></sub>, ρ] + ∑<sub><i>i</i></sub> (κ<sub><i>i</i></sub> "
        "𝒟[σ<sup>+</sup><sub><i>i</i></sub>] + γ<sub><i>i</i></sub> 𝒟[σ<sup>−</sup><sub><i>i</i></sub>] + "
        "½γ<sub>φ,<i>i</i></sub> 𝒟[σ<sup><i>z</i></sup><sub><i>i</i></sub>])ρ + ∑<sub><i>ij</i></sub> "
        "2(<i>K</i><sub>−</sub>)<sub><i>ij</i></sub> (σ<sup>−</sup><sub><i>j</i></sub>ρσ<sup>+</sup><sub><i>i</i></sub> − "
        "½{σ<sup>+</sup><sub><i>i</i></sub>σ<sup>−</sup><sub><i>j</i></sub>, ρ}) + ∑<sub><i>ij</i></sub> "
        "2(<i>K</i><sub>+</sub>)<sub><i>ij</i></sub> (σ<sup>+</sup><sub><i>i</i></sub>ρσ<sup>−</sup><sub><i>j</i></sub> − "
        "½{σ<sup>−</sup><sub><i>j</i></sub>σ<sup>+</sup><sub><i>i</i></sub>, ρ})",
    ),
    "2.3": (
        "Coherence of one of <i>N</i> spins, exact; primes: rates with the diagonals of 2<i>K</i><sub>±</sub>",
        "d⟨σ<sup>−</sup><sub><i>i</i></sub>⟩/d<i>t</i> = −(iω<sub><i>i</i></sub> + ½Γ′<sub>1,<i>i</i></sub> + "
        "γ<sub>φ,<i>i</i></sub>)⟨σ<sup>−</sup><sub><i>i</i></sub>⟩ + i ∑<sub><i>j</i>≠<i>i</i></sub> "
        "<i>C</i><sub><i>ij</i></sub>⟨σ<sup>−</sup><sub><i>j</i></sub>σ<sup><i>z</i></sup><sub><i>i</i></sub>⟩",
    ),
    "2.4": (
        "Inversion of one of <i>N</i> spins, exact",
        "d⟨σ<sup><i>z</i></sup><sub><i>i</i></sub>⟩/d<i>t</i> = "
        "−Γ′<sub>1,<i>i</i></sub>⟨σ<sup><i>z</i></sup><sub><i>i</i></sub>⟩ + κ′<sub><i>i</i></sub> − γ′<sub><i>i</i></sub> + "
        "4 Im ∑<sub><i>j</i>≠<i>i</i></sub> "
        "<i>C</i><sub><i>ij</i></sub>⟨σ<sup>+</sup><sub><i>i</i></sub>σ<sup>−</sup><sub><i>j</i></sub>⟩",
    ),
    "3.1": (
        "Mean field of group <i>a</i>; <i>p</i>: share of the spins",
        "<i>h<sub>a</sub></i> = ∑<sub><i>b</i></sub> <i>V<sub>ab</sub></i> e<sup>i<i>θ</i><sub><i>ab</i></sub></sup> "
        "<i>p<sub>b</sub> s<sub>b</sub></i>",
    ),
    "3.3": ("Nonlinear master equation, <i>N</i> → ∞: coherence",
            "d<i>s<sub>a</sub></i>/d<i>t</i> = −(iω<sub><i>a</i></sub> + Γ<sub>⊥,<i>a</i></sub>)<i>s<sub>a</sub></i> + "
            "i<i>h<sub>a</sub> z<sub>a</sub></i>"),
    "3.4": ("Nonlinear master equation, <i>N</i> → ∞: inversion",
            "d<i>z<sub>a</sub></i>/d<i>t</i> = −Γ<sub>1,<i>a</i></sub><i>z<sub>a</sub></i> + κ<sub><i>a</i></sub> − "
            "γ<sub><i>a</i></sub> + 4 Im(<i>h<sub>a</sub> s<sub>a</sub></i>*)"),
    "4.1": ("A small coherence of one group grows, at the rate −<i>Vz</i><sub>0</sub> sin <i>θ</i> − Γ<sub>⊥</sub>, if",
            "−<i>Vz</i><sub>0</sub> sin <i>θ</i> &gt; Γ<sub>⊥</sub>"),
    "4.2": ("Limit cycle of one group: inversion", "<i>z</i>* = −Γ<sub>⊥</sub>/(<i>V</i> sin <i>θ</i>)"),
    "4.3": ("Limit cycle: frequency", "Ω = ω + Γ<sub>⊥</sub> cot <i>θ</i>"),
    "4.4": ("Limit cycle: amplitude",
            "|<i>s</i>|² = Γ<sub>1</sub><i>z</i>*(<i>z</i><sub>0</sub> − <i>z</i>*)/(4Γ<sub>⊥</sub>)"),
    "4.5": ("Critical coupling", "<i>V</i><sub>c</sub> = Γ<sub>⊥</sub>/(−<i>z</i><sub>0</sub> sin <i>θ</i>)"),
    "4.6": ("Floquet exponents of the limit cycle, besides the zero of the free phase",
            "μ<sub>±</sub> = ½(−Γ<sub>1</sub> ± [Γ<sub>1</sub>² − 32<i>V</i>² sin²<i>θ</i> |<i>s</i>|²]<sup>1/2</sup>)"),
    "4.7": ("Linewidth (FWHM) by phase diffusion, for 1/(<i>N</i>|<i>s</i>|²) ≪ 1",
            "Γ<sub>⊥</sub>(1 + |<i>z</i>*|)/(2<i>N</i>|<i>s</i>|² sin²<i>θ</i>)"),
    "5.1": (
        "Symmetric pair at <i>θ</i> = −π/2, full state, with <i>d</i> = Δ²/(4Γ<sub>⊥</sub>) and <i>φ</i> = "
        "<i>φ</i><sub>A</sub> − <i>φ</i><sub>B</sub>",
        "tan(<i>φ</i>/2) = Δ/(2Γ<sub>⊥</sub>), Ω = (ω<sub>A</sub> + ω<sub>B</sub>)/2, <i>z</i> = (Γ<sub>⊥</sub> + "
        "<i>d</i>)/<i>V</i>, |<i>s</i>|² = (κ − γ − Γ<sub>1</sub><i>z</i>)/(4<i>V</i> cos²(<i>φ</i>/2))",
    ),
    "5.2": ("Symmetric pair: the full state exists for", "<i>d</i> &lt; <i>Vz</i><sub>0</sub> − Γ<sub>⊥</sub>"),
    "5.3": ("Symmetric pair: eigenvalues of the incoherent state",
            "λ = −Γ<sub>⊥</sub> + ½<i>Vz</i><sub>0</sub> ± [(½<i>Vz</i><sub>0</sub>)² − ¼Δ²]<sup>1/2</sup>"),
    "5.4": (
        "Symmetric pair: the full state is stable if and only if <i>d</i> &lt; Γ<sub>⊥</sub> + Γ<sub>1</sub> and",
        "(Γ<sub>⊥</sub> − <i>d</i>)(Γ<sub>⊥</sub> − <i>d</i> + Γ<sub>1</sub>) + 2(<i>Vz</i><sub>0</sub> − Γ<sub>⊥</sub> − "
        "<i>d</i>)(Γ<sub>1</sub> − <i>d</i>) &gt; 0",
    ),
    "5.7": (
        "Weakly coupled groups: half width <i>K</i> of the locking range and phase difference <i>φ</i><sub>0</sub> in its "
        "middle; <i>k</i><sub>B</sub>: A and B exchanged",
        "<i>K</i> e<sup>i<i>φ</i><sub>0</sub></sup> = <i>k</i><sub>A</sub> e<sup>−i(<i>θ</i><sub>AB</sub> − "
        "<i>θ</i><sub>A</sub>)</sup> + <i>k</i><sub>B</sub> e<sup>+i(<i>θ</i><sub>BA</sub> − <i>θ</i><sub>B</sub>)</sup>, "
        "<i>k</i><sub>A</sub> = Γ<sub>⊥,A</sub> <i>p</i><sub>B</sub><i>V</i><sub>AB</sub>|<i>s</i><sub>B</sub>| / "
        "(<i>p</i><sub>A</sub><i>V</i><sub>AA</sub> sin²<i>θ</i><sub>A</sub> |<i>s</i><sub>A</sub>|)",
    ),
    "5.8": ("Mean rate of the phase difference outside the locking range, with "
            "Δ<sub>eff</sub> = Ω<sub>A</sub> − Ω<sub>B</sub> of the uncoupled groups",
            "sign(Δ<sub>eff</sub>) (Δ<sub>eff</sub>² − <i>K</i>²)<sup>1/2</sup>"),
    "8.1": ("Order parameter", "<i>R</i> = 2|∑<sub><i>a</i></sub> <i>p<sub>a</sub> s<sub>a</sub></i>|"),
    "8.3": ("Phase distribution of one spin: its Husimi function "
            "<i>Q</i>(<b>n</b>) = (1 + <b>n</b>·<b>m</b>)/(4π), integrated over the polar angle",
            "<i>P</i>(<i>ϕ</i>) = 1/(2π) + (|<i>s</i>|/4) cos(<i>ϕ</i> − <i>φ</i>)"),
}  # fmt: skip


def linked(html: str) -> str:
    """The text with each number of an equation as a link to it. A number that is not listed raises KeyError."""
    return NUMBER.sub(lambda found: f'<a href="#eq-{found[1]}" title="{_title(found[1])}">{found[0]}</a>', html)


def _title(number: str) -> str:
    """What an equation is, as plain text."""
    return re.sub(r"<[^>]*>", "", EQUATIONS[number][0])


def listed() -> str:
    """The list of all equations."""
    rows = "\n".join(
        f'<tr id="eq-{number}"><td class="number">({number})</td>'
        f'<td>{meaning}:<br/><span class="formula">{formula}</span></td></tr>'
        for number, (meaning, formula) in EQUATIONS.items()
    )
    return f'<table class="equations">\n{rows}\n</table>'
