"""Microscopic foundation: N spins by brute force obey the one-spin equations exactly."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.panels import add_legend, add_letters, circle_key, key

START = [[0.6, 0.0, -0.4]]


def random_ensemble(seed: int, groups: int) -> ss.Ensemble:
    """An ensemble with random rates in units of the damping of its first group, and a general complex coupling matrix."""
    rng = np.random.default_rng([11, seed])
    random_groups = [
        ss.Group(rng.uniform(0, 3), rng.uniform(0, 3) if k else 1.0, dephasing=rng.uniform(0, 1), frequency=rng.normal())
        for k in range(groups)
    ]
    return ss.Ensemble(random_groups, rng.normal(size=(groups, groups)) * 4 + 4j * rng.normal(size=(groups, groups)))


def _residual(sides: xr.Dataset) -> np.ndarray:
    s, z = (abs(sides[f"{n}_rate"] - sides[f"{n}_identity"]).max("spin") for n in ("coherence", "inversion"))
    return np.asarray(np.maximum(s, z))


def chapter(quick: bool, advance: Advance) -> Chapter:
    residuals = {}
    for groups, spins in ((1, 4), (2, 4), (3, 3)):
        model, few = random_ensemble(groups, groups), ss.BruteForce(spins)
        residuals[f"one-spin-{groups}-groups"] = ss.one_spin_equation(model, np.linspace(0, 2, 21), theory=few, seed=1)
    advance(0.3)
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-pi / 2)
    times = np.linspace(0, 2.5, 126)
    runs = {"finite-mean-field": ss.evolve(one, times, initial=START)}
    for spins in (2, 4) if quick else (2, 3, 4, 6):
        runs[f"finite-{spins}-spins"] = ss.evolve(one, times, initial=START, theory=ss.BruteForce(spins))
        advance(0.3 + 0.1 * spins)
    name, why = "residual of the one-spin equations (2.3) and (2.4)", "rounding of sums of 4^N terms"
    claims = [Claim(f"{case}: {name}", 0, float(_residual(sides).max()), 1e-12, why) for case, sides in residuals.items()]
    claims += [_splitting(seed) for seed in (1, 2)]
    return Chapter(
        title="The microscopic master equation",
        text="<p>The nonlinear equation is the limit <i>N</i> → ∞ of a Lindblad master equation with exchange, correlated "
        "decay and correlated pumping, equation (2.2), for every complex coupling matrix. At finite <i>N</i> each spin obeys "
        "the one-spin equations (2.3) and (2.4) exactly, with pair correlations instead of products. This is checked here on "
        "density matrices of all 2<sup><i>N</i></sup> states.</p>",
        figures={"ground": _figure(runs, residuals)},
        captions={
            "ground": "The microscopic model. (a) Inversion for <i>N</i> spins by brute force and for <i>N</i> → ∞, κ = 3γ, "
            "<i>V</i> = 12γ, <i>θ</i> = −π/2, ω = 0. All spins start with the Bloch vector (0.6, 0, −0.4). So few spins are "
            "far from the limit; the chapter on finite numbers of spins shows the convergence. (b) Residual of the one-spin "
            "equations (2.3) and (2.4): largest difference of their two sides over all spins, along runs of few spins in one "
            "to three groups with random rates and complex couplings; γ is the damping of the first group. Zeros are drawn at "
            "10<sup>−17</sup>. Dashed: the tolerance of the claims, 10<sup>−12</sup>γ."
        },
        data=runs | residuals,
        claims=tuple(claims),
    )


def _splitting(seed: int) -> Claim:
    """Exchange + i (pumping - decay)/2 equals the coupling matrix."""
    model = random_ensemble(seed, 2)
    terms = ss.lindblad(model, 6)
    back = (terms.exchange + 0.5j * (terms.correlated_pumping - terms.correlated_decay)).values
    expected = np.kron(model.coupling_matrix, np.ones((3, 3))) / 6
    gap = float(abs(back - expected).max())
    return Claim(f"random coupling {seed}: Hc + i (K_+ - K_-) minus C", 0, gap, 1e-13, "rounding of a 2 x 2 eigenproblem")


def _figure(runs: dict[str, xr.Dataset], residuals: dict[str, xr.Dataset]) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.1), layout="constrained")
    colours = plt.get_cmap("cividis")(np.linspace(0.85, 0.2, len(runs) - 1))
    few = [(f"$N={name.split('-')[1]}$", run) for name, run in runs.items() if name != "finite-mean-field"]
    many = (r"$N\to\infty$", runs["finite-mean-field"])
    keys: list[Line2D] = []
    for (label, run), colour in zip([*few, many], [*colours, "black"], strict=True):
        left.plot(run.time, run.inversion.values[:, 0], color=colour)
        keys.append(key(f"{label} in (a)", color=colour, lw=1.2))
    left.set(xlabel=r"time  $\gamma t$", ylabel=r"inversion  $z$", xlim=(0, 2.5))
    for marker, colour, (name, sides) in zip("osD", ss.plot.COLOURS, residuals.items(), strict=False):
        groups = int(name.split("-")[2])
        right.semilogy(sides.time, np.maximum(_residual(sides), 1e-17), marker, ms=3.2, color=colour)
        label = f"{groups} group{'s' * (groups > 1)}, {sides.sizes['spin']} spins"
        keys.append(circle_key(label, marker=marker, color=colour, fill=colour, ms=3.2))
    right.axhline(1e-12, color="black", lw=0.8, ls="--")
    right.set(xlabel=r"time  $\gamma t$", ylabel=r"residual $/\gamma$", ylim=(3e-18, 1e-11))
    add_letters((left, right))
    add_legend(figure, *keys, key("tolerance", ls="--", lw=0.8), columns=4)
    return figure
