"""(h) The Arnold tongue of the symmetric pair: named regimes under the closed-form lines."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.faces.paper.claims import Advance, Claim, Section

PAIR = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=10.0, theta=-pi / 2)
MARGIN = 0.03  # from a line: there is hysteresis of about 2 % along the Hopf line


def chapter(quick: bool, advance: Advance) -> Section:
    size = 20 if quick else 44
    axes = {"detuning": np.linspace(0.0, 8.0, size), "coupling": np.linspace(1.0, 30.0, size)}
    tongue = ss.phase_diagram(PAIR, axes)
    advance(0.95)
    wrong, compared = _compare(tongue)
    undecided = int((tongue.regime == ss.Regime.UNDECIDED).sum())
    where = f"{compared} points, at least {MARGIN:.0%} from a line"
    return Section(
        title="The Arnold tongue of a symmetric pair",
        text="<p>Regimes over detuning and coupling, from one trajectory per point, all from the same start; nothing of the "
        "closed forms was put in. Below <i>V z</i><sub>0</sub> = 2Γ<sub>⊥</sub> full synchronization fades continuously "
        "into the incoherent state. Above, it ends on the Hopf line, before it would cease to exist, and the groups are "
        "trapped or part.</p>",
        figures={"tongue": _figure(tongue)},
        captions={
            "tongue": "Gain 3, damping 1, <i>θ</i> = −π/2, all couplings equal. Solid: Hopf line, equality in (5.4). Dashed: "
            "end of the existence of the full state (5.2). Dotted: beyond, the incoherent state is stable (5.3)."
        },
        data={"tongue": tongue},
        claims=(
            Claim("regimes that contradict the closed forms", 0, wrong, 0, where),
            Claim("undecided points", 0, undecided, 0.01 * tongue.regime.size, "at most one in a hundred, on boundaries"),
        ),
    )


def _figure(tongue: xr.Dataset) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(7.0, 3.1), layout="constrained")
    ss.plot.phase_diagram(tongue, axes[0])
    ss.plot.phase_diagram(tongue, axes[1], variable="phase_difference")
    axes[1].set_ylabel("")
    return figure


def _compare(tongue: xr.Dataset) -> tuple[int, int]:
    """How many words contradict the closed forms, and how many were compared."""
    wrong = compared = 0
    for i, detuning in enumerate(tongue.detuning.values.tolist()):
        for j, coupling in enumerate(tongue.coupling.values.tolist()):
            forms = [
                ss.symmetric_pair(PAIR.replace(detuning=detuning * (1 + e), coupling=coupling * (1 + f)))
                for e, f in ((0, 0), (MARGIN, 0), (-MARGIN, 0), (0, MARGIN), (0, -MARGIN))
            ]
            answers = {(bool(form.stable), bool(form.incoherent_stable)) for form in forms}
            word = int(tongue.regime[i, j])
            if len(answers) > 1 or word == ss.Regime.UNDECIDED:
                continue
            full, incoherent = answers.pop()
            wrong += (word == ss.Regime.FULL) != full or (word == ss.Regime.INCOHERENT) != incoherent
            compared += 1
    return wrong, compared
