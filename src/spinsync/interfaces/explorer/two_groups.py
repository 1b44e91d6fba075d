"""Two groups: from the controls to their regime, frequencies, words, run and code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import spinsync as ss
from spinsync.interfaces.explorer import one_group
from spinsync.interfaces.explorer.controls import (
    DETUNING,
    V_CROSS,
    V_PAIR,
    Control,
    Values,
    angle,
    equation,
    rates,
    shown,
)

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[Any]
# Bloch vectors of a strong, nearly common start: groups that are exactly equal would stay so, even where this is unstable.
COMMON = ((0.8, 0.0, 0.0), (0.8, 0.1, 0.0))
ALIKE = 0.02  # difference of order parameters up to which two motions count as the same
SWEEP, FEW = 121, 31  # detunings of the frequencies, and of a first look
LINES = 31  # points of a closed-form line
UNTIL = 60.0  # time of a run

Lines = list[tuple[str, Array, Array]]  # name, detunings, strengths

NAMES = {  # by the name of the regime, as the codes of `ss.Regime` come with the science
    "UNDECIDED": "Undecided",
    "INCOHERENT": "Incoherent",
    "FULL": "Full synchronization",
    "PHASE_TRAPPED": "Phase-trapped",
    "PARTIAL": "Partial synchronization",
    "IRREGULAR": "Irregular",
    "PULSATING": "Pulsating",
}


def ensemble(values: Values) -> ss.Ensemble:
    """The model, in units of gain + damping."""
    cross: dict[str, Any] = (
        {} if values["alike"] else {"cross_coupling": values["V_cross"], "cross_theta": angle(values["theta_cross"])}
    )
    return ss.Ensemble.pair(
        detuning=values["detuning"], **rates(values), coupling=values["V"], theta=angle(values["theta"]),
        dephasing=values["dephasing"], **cross,
    )  # fmt: skip


def upwards(values: Values) -> tuple[Control, str]:
    """The control on the vertical axis of the tongue, and its name in the model: every coupling, or that between the groups."""
    return (V_PAIR, "coupling") if values["alike"] else (V_CROSS, "cross_coupling")


def idle(values: Values) -> list[str]:
    """Controls without influence at present."""
    return ["V_cross", "theta_cross"] if values["alike"] else []


# ---- what closed forms tell


def symmetric(values: Values) -> xr.Dataset | None:
    """`symmetric_pair` where it holds: all couplings equal, at a quarter turn."""
    try:
        return ss.symmetric_pair(ensemble(values))
    except ss.InputError:
        return None


def weak(values: Values) -> xr.Dataset | None:
    """`locking_range` where it holds: both groups synchronized by themselves, and weakly coupled."""
    if values["alike"]:
        return None
    try:
        found = ss.locking_range(ensemble(values))
    except ss.InputError:
        return None
    return found if bool(found.weak) else None


def first_words(values: Values) -> str:
    """What closed forms tell before the motion is computed."""
    full, link = symmetric(values), weak(values)
    if full is not None and bool(full.stable):
        told = (
            f"<b>{NAMES['FULL']}.</b> By a formula both groups can turn at one frequency, "
            f"{_counted('Ω', float(full.frequency))}, where {_ahead(float(full.phase_difference))}."
        )
    elif values["alike"] and values["V"] < ss.critical_coupling(ensemble(values)):
        told = f"<b>{NAMES['INCOHERENT']}.</b> By a formula no common phase can grow here from a weak start."
    elif link is not None:
        side = "inside" if bool(link.locked) else "outside"
        told = (
            f"<b>A weak link.</b> The detuning is {side} the locking range of Adler's formula, which ends at "
            f"{equation('Δ', float(link.locking_range))}."
        )
    else:
        told = "<b>Two groups.</b> No formula tells what they do together at these values."
    return f"{told} The motion itself is being computed: it tells the regime, and whether the start decides."


def closed_form_lines(values: Values) -> Lines:
    """Boundaries over the detuning in closed form, as `plot.phase_diagram` draws them: (5.2) to (5.4), or (5.7)."""
    control, _ = upwards(values)
    model = ensemble(values)
    strengths = np.linspace(control.low, control.high, LINES)[1:]
    if values["alike"]:
        detunings = np.linspace(DETUNING.low, DETUNING.high, LINES)
        critical = np.array([ss.critical_coupling(model.replace(detuning=float(d))) for d in detunings])
        onset = ("incoherent below", detunings, critical)
        return [onset] if symmetric(values) is None else [*_symmetric_lines(model, strengths, critical[0]), onset]
    links = [weak({**values, "V_cross": float(v)}) for v in strengths]
    strong = next((k for k, link in enumerate(links) if link is None), len(links))  # from here on the link is not weak
    edges = [float(link.locking_range) if link is not None and k < strong else np.nan for k, link in enumerate(links)]
    return [("Adler, weak coupling", np.array(edges), strengths)]


def _symmetric_lines(model: ss.Ensemble, strengths: Array, first: float) -> Lines:
    """The ends of the full state over the coupling, with more points where it begins, as a square root does."""
    begin = first * (1 + 0.3 * np.linspace(0, 1, 13) ** 2)
    strengths = np.unique([*strengths[strengths > first], *begin[begin <= strengths[-1]]])
    fulls = [ss.symmetric_pair(model.replace(coupling=float(v))) for v in strengths]
    return [
        (label, np.array([float(full[variable]) for full in fulls]), strengths)
        for label, variable in (("full ends (Hopf)", "hopf_detuning"), ("full exists", "existence_detuning"))
    ]


# ---- the motion


def regimes(values: Values) -> tuple[xr.Dataset, xr.Dataset]:
    """The long-time motion from a weak random start, and from a strong common one."""
    model = ensemble(values)
    return ss.regime(model), ss.regime(model, initial=COMMON)


def words(found: xr.Dataset, common: xr.Dataset) -> str:
    """The regime and what it means; where the start decides what each of two starts leads to, in HTML."""
    regime, other = (ss.Regime(int(one.regime)) for one in (found, common))
    if start_decides(found, common):
        return (
            f"<b>The start decides.</b> From “Weak start”, one random cloud, the end is {outcome(regime, found)} From “Strong "
            f"start”, all together, it is {outcome(other, common)} <i>Ω</i> counts from the mean of their own. The line under "
            "the sphere measures it."
        )
    told = f"<b>{NAMES[regime.name]}.</b> {_meaning(regime, found)}"
    if same(found, common):
        return f"{told} A strong common start ends in the same way."
    if other is ss.Regime.UNDECIDED:
        return f"{told} What a strong common start leads to, the longest run does not tell."
    return f"{told} From a strong common start the end is {outcome(other, common)}"


def start_decides(found: xr.Dataset, common: xr.Dataset) -> bool:
    """Whether two starts end in different motions, both of them known."""
    return ss.Regime.UNDECIDED not in (int(found.regime), int(common.regime)) and not same(found, common)


def outcome(regime: ss.Regime, found: xr.Dataset) -> str:
    """What a start leads to, in HTML: not said of the motion that is shown."""
    first, second = (float(f) for f in found.frequency.values)
    how = {
        ss.Regime.UNDECIDED: "not known.",
        ss.Regime.INCOHERENT: "incoherent: no common phase lasts.",
        ss.Regime.FULL: f"full synchronization: one frequency {equation('Ω', first)}, at an angle that stays.",
        ss.Regime.PHASE_TRAPPED: f"phase-trapped: the angle swings, no turn is gained, {equation('Ω', first)} on average.",
        ss.Regime.PARTIAL: "partial: one overtakes the other, "
        f"{equation('Ω<sub>A</sub>', first)}, {equation('Ω<sub>B</sub>', second)}.",
        ss.Regime.IRREGULAR: "irregular: the motion never repeats.",
        ss.Regime.PULSATING: "pulsating: amplitudes swell and shrink.",
    }[regime]
    name, colon, meaning = how.partition(":")
    return f"<b>{name}</b>{colon}{meaning}"


def same(found: xr.Dataset, other: xr.Dataset) -> bool:
    """Whether two motions are of one regime and, where both are steady, of one order parameter."""
    if int(found.regime) != int(other.regime):
        return False
    apart = abs(float(found.order_parameter) - float(other.order_parameter))
    return ss.Regime(int(found.regime)) is not ss.Regime.FULL or apart <= ALIKE


def _meaning(regime: ss.Regime, found: xr.Dataset) -> str:
    first, second = (float(f) for f in found.frequency.values)
    if regime is ss.Regime.FULL:
        return (
            f"In the end both groups turn at one frequency, {_counted('Ω', first)}, and the angle between them stays: "
            f"{_ahead(float(found.phase_difference[0, 1]))}. Their light is one line."
        )
    if regime is ss.Regime.PHASE_TRAPPED:
        return (
            f"In the end the angle between the groups swings to and fro, but neither gains a turn: both have the same "
            f"mean frequency, {_counted('Ω', first)}. Their light has sidebands."
        )
    if regime is ss.Regime.PARTIAL:
        return (
            f"In the end each group keeps a rhythm of its own, {equation('Ω<sub>A</sub>', first)} and "
            f"{_counted('Ω<sub>B</sub>', second)}: one overtakes the other again and again."
        )
    return {
        ss.Regime.UNDECIDED: "The motion does not tell its kind within the longest run, as happens close to a boundary.",
        ss.Regime.INCOHERENT: "Neither group keeps a common phase. In the end all spins rest on the axis of the sphere.",
        ss.Regime.IRREGULAR: "The motion never repeats, and small differences grow: chaos. They grow at the rate "
        f"{shown(float(found.lyapunov), 3)}.",
        ss.Regime.PULSATING: "The amplitudes swell and shrink for ever, but there is no angle between two rhythms.",
    }[regime]


def _counted(symbol: str, frequency: float) -> str:
    """A frequency, and from where it is counted: groups that turn together at 0 do not stand still in the laboratory."""
    return f"{equation(symbol, frequency)} from the mean of their own"


def _ahead(radians: float) -> str:
    """Which group is ahead, and by how much."""
    turn = shown(abs(radians) / np.pi)
    if float(turn) == 0:
        return "they point the same way"
    return "they point opposite ways" if float(turn) == 1 else f"{'A' if radians > 0 else 'B'} is ahead by {turn}&nbsp;<i>π</i>"


def stage(found: xr.Dataset, common: xr.Dataset) -> dict[str, Any]:
    """A ring for each group where the motion is a limit cycle, and the order parameter that it tends to, from every start."""
    regime = ss.Regime(int(found.regime))
    if start_decides(found, common):
        return {"rings": [], "order": None}
    if regime is ss.Regime.INCOHERENT:
        return {"rings": [], "order": 0.0}
    if regime is not ss.Regime.FULL:
        return {"rings": [], "order": None}
    rings = [
        {"group": g, "radius": 2 * float(found.amplitude[g]), "height": float(found.inversion[g])}
        for g in range(2)
    ]  # fmt: skip
    return {"rings": rings, "order": float(found.order_parameter)}


def sweep_key(values: Values) -> tuple[float, ...]:
    """What the frequencies over the detuning depend on."""
    return tuple(values[name] for name in sorted(values) if name != "detuning" and name not in idle(values))


def frequencies(values: Values, count: int = SWEEP) -> xr.Dataset:
    """Observed frequencies over the detuning."""
    detunings = np.linspace(DETUNING.low, DETUNING.high, count)
    return ss.phase_diagram(ensemble(values), {"detuning": detunings}, threads=1)


# ---- run and code


def run(values: Values) -> xr.Dataset:
    """The two groups from a weak random coherence, the same from which the regime is found."""
    return ss.evolve(ensemble(values), np.linspace(0, UNTIL, one_group.moments(values, UNTIL)))


def code(values: Values) -> str:
    """A Python program that makes run and regime, and a figure."""
    cross = (
        "" if values["alike"] else f"    cross_coupling={values['V_cross']!r}, cross_theta={values['theta_cross']!r} * np.pi,\n"
    )
    return (
        "import matplotlib.pyplot as plt\nimport numpy as np\nimport spinsync as ss\n\n"
        f"{one_group.head(values)}"
        "pair = ss.Ensemble.pair(\n"
        f"    detuning={values['detuning']!r}, gain=r / (1 + r), damping=1 / (1 + r), coupling={values['V']!r},\n"
        f"    theta={values['theta']!r} * np.pi, dephasing={values['dephasing']!r},\n{cross})\n"
        f"run = ss.evolve(pair, np.linspace(0, {UNTIL!r}, {one_group.moments(values, UNTIL)}))  # from a weak random start\n\n"
        "found = ss.regime(pair)\n"
        f"common = ss.regime(pair, initial=[{list(COMMON[0])}, {list(COMMON[1])}])  # a strong common start\n"
        'print(f"{ss.label(found.regime)}; from a strong common start: {ss.label(common.regime)}")\n'
        'print("frequencies", found.frequency.values)\n\n'
        'figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")\n'
        'ss.plot.bloch_sphere(run, left, frame="mean")\n'
        "ss.plot.order_parameter(run, middle)\n"
        "ss.plot.phases(run, right)\n"
        "for ax in (middle, right):\n"
        '    ax.set_xlabel("time (κ+γ)t")\n'
        'ss.plot.save(figure, "spinsync-two-groups.png")\n'
    )
