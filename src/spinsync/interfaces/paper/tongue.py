"""The Arnold tongue of the symmetric pair: simulated regimes and closed-form boundaries."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.kept import phase_diagram
from spinsync.interfaces.paper.panels import NEWTON, add_legend, add_letters, key, listed, occurring, regime_keys

PAIR = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=10.0, theta=-pi / 2)
MARGIN = 0.04  # from a line: from the weak common start full synchronization ends up to 4 % before the Hopf line
#: where no mean phase difference is drawn
NO_PHASE_DIFFERENCE = {
    ss.Regime.INCOHERENT: "incoherent", ss.Regime.PARTIAL: "drifting", ss.Regime.IRREGULAR: "irregular",
    ss.Regime.UNDECIDED: "undecided",
}  # fmt: skip


def chapter(quick: bool, advance: Advance) -> Chapter:
    size = 48 if quick else 200
    axes = {"detuning": np.linspace(0.0, 8.0, size), "coupling": np.linspace(1.0, 30.0, size)}
    tongue = phase_diagram("tongue", PAIR, axes)
    advance(0.95)
    wrong, compared = _compare(tongue)
    undecided = int((tongue.regime == ss.Regime.UNDECIDED).sum())
    where = f"{compared} comparisons, at least {MARGIN:.0%} from a line"
    irregular = ", at strong coupling also irregular ones" if ss.Regime.IRREGULAR in occurring(tongue) else ""
    return Chapter(
        title="The Arnold tongue of a symmetric pair",
        text="<p>Regimes over detuning and coupling, from one trajectory per point, all from the same weakly synchronized "
        "initial state. Below <i>V z</i><sub>0</sub> = 2Γ<sub>⊥</sub> full synchronization goes over continuously into the "
        "incoherent state. Above, the full state becomes unstable at the Hopf line, before it would cease to exist; beyond, "
        "the groups are phase-trapped or partially synchronized. Just before the line both are stable, and the start "
        "decides: from the weak start of this figure full synchronization ends up to 4 % before the Hopf line, from a start "
        "close to the full state on the line. Points of other regimes on the inner side of the line are such motions"
        f"{irregular}.</p>",
        figures={"tongue": _figure(tongue)},
        captions={
            "tongue": f"Arnold tongue of two groups, {size} × {size} trajectories, κ = 3γ, <i>θ</i> = −π/2, all couplings "
            "equal. (a) Regimes. (b) Phase difference, its mean where it is trapped; hatched: "
            f"{listed(NO_PHASE_DIFFERENCE, tongue)}. Solid: Hopf line, equality in (5.4), on whose left the full state is "
            "stable, also where the trajectory ends in another regime. Dashed: end of the existence of the full state (5.2). "
            "Dotted: below it the incoherent state is stable (5.3). " + NEWTON
        },
        data={"tongue": tongue},
        claims=(
            Claim("regimes that contradict the closed forms", 0, wrong, 0, where),
            Claim("undecided points", 0, undecided, 0.01 * tongue.regime.size, "at most one in a hundred, on boundaries"),
        ),
    )


def _figure(tongue: xr.Dataset) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(7.0, 3.6), layout="constrained")
    ss.plot.phase_diagram(tongue, axes[0], unit="damping").set_title("regime")
    ss.plot.phase_diagram(tongue, axes[1], variable="phase_difference", unit="damping").set_title("phase difference")
    axes[1].set_ylabel("")
    add_letters(axes)
    add_legend(figure, key("Hopf line (5.4)", lw=1.3), key("existence of full (5.2)", ls=(0, (4, 2)), lw=1.1),
               key("incoherent stable (5.3)", ls=(0, (1, 1.2)), lw=1.7), *regime_keys(tongue), columns=4)  # fmt: skip
    return figure


def _ends(coupling: float) -> tuple[float, float]:
    """Detunings at which the full state becomes unstable, and above which the incoherent state is stable."""
    form = ss.symmetric_pair(PAIR.replace(coupling=coupling))
    hopf, existence = float(form.hopf_detuning), float(form.existence_detuning)
    return float(np.nan_to_num(existence if np.isnan(hopf) else hopf)), float(form.incoherent_detuning)


def _compare(tongue: xr.Dataset) -> tuple[int, int]:
    """Number of regimes that contradict the closed forms, and of those compared, at least MARGIN from a boundary."""
    wrong = compared = 0
    detuning = tongue.detuning.values
    for coupling in tongue.coupling.values.tolist():
        ends = np.array([_ends(coupling * (1 + shift)) for shift in (-MARGIN, 0, MARGIN)])
        found = tongue.regime.sel(coupling=coupling).values
        for expected, below, end in ((ss.Regime.FULL, True, ends[:, 0]), (ss.Regime.INCOHERENT, False, ends[:, 1])):
            inside, outside = detuning * (1 + MARGIN) < end.min(), detuning * (1 - MARGIN) > end.max()
            clear = (inside | outside) & (found != ss.Regime.UNDECIDED)
            wrong += int(np.sum(clear & ((found == expected) != (inside if below else outside))))
            compared += int(clear.sum())
    return wrong, compared
