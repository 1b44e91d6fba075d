"""One ensemble: from the controls to its cycle, its place in the map, words, run and code."""

from __future__ import annotations

from math import cos, isfinite, pi, sin
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import spinsync as ss
from spinsync.interfaces.explorer.controls import NO_BREAK, RATIO, V, Values, angle, equation, rates, shown
from spinsync.interfaces.explorer.figures import centres

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[Any]
SPINS = 24  # at random places, in figures and in the data
GRID = 128  # points of the map along an axis
ALONG = 24  # closed forms along the coupling, from which the whole map follows
TIMES, MOST_TIMES, PER_TURN = 601, 6001, 24  # of a run; per turn, so that paths have no corners
SHORTEST, LONGEST = 30.0, 150.0  # times shown
SLOW = 0.1  # distance from the threshold, of the threshold, within which motion is slow
STILL = 0.005  # |Omega| that is 0.00 in two digits


def ensemble(values: Values) -> ss.Ensemble:
    """The model, in units of gain + damping."""
    return ss.Ensemble.single(
        **rates(values), coupling=values["V"], theta=angle(values["theta"]), dephasing=values["dephasing"],
        frequency=ss.Gaussian(values["spread"]) if values.get("spread", 0.0) > 0 else 0.0,
    )  # fmt: skip


# ---- words and stage


def words(values: Values) -> str:
    """What the ensemble does, and why, in HTML, by closed forms."""
    model = ensemble(values)
    cycle, critical = ss.limit_cycle(model), ss.critical_coupling(model)
    if bool(cycle.synchronized):
        number = float(cycle.frequency)
        turn = (
            f"All spins turn together, as fast as a spin alone: {equation('Ω', 0.0)} relative to it."
            if abs(number) < STILL
            else f"All spins turn together, at {equation('Ω', number)} relative to a spin alone. In the laboratory view "
            f"{equation(f'1{NO_BREAK}+{NO_BREAK}Ω', 1 + number)}; the 1 is chosen for the eye."
        )
        told = (
            f"<b>Synchronized.</b> {turn} Order parameter {equation('R', float(cycle.order_parameter))}, mean height "
            f"{equation('z', float(cycle.inversion))}."
        )
    else:
        told = (
            "<b>Incoherent.</b> No common phase lasts. In the end every spin rests on the axis of the sphere, at the height "
            f"{equation('z', model.groups[0].z0)}."
        )
    return " ".join([told, _against(values, critical, bool(cycle.synchronized)), *_unequal(values, bool(cycle.synchronized))])


def _against(values: Values, critical: float, synchronized: bool) -> str:
    """Where the coupling stands."""
    if not isfinite(critical):
        if abs(sin(angle(values["theta"]))) < 1e-12:
            return f"At {equation('θ', '0')} or ±<i>π</i> no coupling synchronizes: it only exchanges excitations."
        needs = "more gain than damping, <i>r</i>&nbsp;&gt;&nbsp;1" if values["theta"] < 0 else (
            "more damping than gain, <i>r</i>&nbsp;&lt;&nbsp;1")  # fmt: skip
        return f"No coupling synchronizes here: for this sign of <i>θ</i> it takes {needs}."
    side = "above" if values["V"] > critical else "below" if values["V"] < critical else "at"
    near = side != "at" and shown(values["V"]) == shown(critical)
    digits = 4 if near else 2
    slowly = ", so close to it that all goes slowly" if abs(values["V"] / critical - 1) < SLOW else ""
    here = (
        f"The coupling {equation('V', values['V'], digits)} is {'just ' if near else ''}{side} the threshold "
        f"{shown(critical, digits)}{slowly}."
    )
    started = " From a weak start the spins stay incoherent." if synchronized and side == "below" else ""
    return here + started


def _unequal(values: Values, synchronized: bool) -> list[str]:
    """How spins with frequencies of their own enter; (6.3) makes no statement on the stability of what it gives."""
    spread = values.get("spread", 0.0)
    if not spread:
        return []
    told = f"The formula averages over own frequencies of spread {equation('σ', spread)}."
    may_swing = synchronized and spread > 0.5 + values["dephasing"]  # Gamma_perp; runs swing from about 1.7 times it on
    return [told, *(["The motion may swing about this state."] if may_swing else [])]


def stage(values: Values) -> dict[str, Any]:
    """The ring of the limit cycle, and the order parameter that the motion tends to."""
    cycle = ss.limit_cycle(ensemble(values))
    if not bool(cycle.synchronized):
        return {"rings": [], "order": 0.0}
    radius, height = float(cycle.order_parameter), float(cycle.inversion)
    return {"rings": [{"group": 0, "radius": radius, "height": height}], "order": radius}


# ---- the map


def map_key(values: Values) -> tuple[float, ...]:
    """What the map depends on."""
    return values["theta"], values["dephasing"], values.get("spread", 0.0)


def _growing(values: Values) -> ss.Ensemble:
    """Spins whose inversion without coupling has the sign that synchronizes, and the size 1."""
    gain = 1.0 if values["theta"] < 0 else 0.0
    return ensemble({**values, "r": 1.0, "V": 1.0}).replace(gain=gain, damping=1 - gain)


def along_coupling(values: Values) -> tuple[Array, Array]:
    """Couplings W > 0 and (W R)^2 of the limit cycle, for spins of inversion ±1 without coupling; empty if there is none.

    (W R)^2 is a smooth function from the critical coupling on, without disorder a straight line by (4.2) and (4.4).
    """
    model = _growing(values)

    def order(coupling: float) -> float:
        return float(ss.limit_cycle(model.replace(coupling=coupling)).order_parameter)

    onset = ss.critical_coupling(model)
    if not isfinite(onset) or onset >= V.high:
        return np.zeros(0), np.zeros(0)
    couplings = onset + (V.high - onset) * np.linspace(0, 1, ALONG) ** 2
    return couplings, np.array([(coupling * order(float(coupling))) ** 2 for coupling in couplings])


def map_orders(values: Values, couplings: Array, ratios: Array) -> Array:
    """Order parameter of the limit cycle, shape (ratio, coupling).

    With the unit kappa + gamma, Gamma_perp is the same at all ratios. By (4.2), (4.4), and with disorder (6.3), z/z0 and the
    width of the hole in the distribution depend on W = V |z0| alone, so that R(V, r) = |z0| R(W, inversion ±1).
    """
    from scipy.interpolate import PchipInterpolator

    z0 = (ratios - 1) / (ratios + 1)
    strength = np.where(-sin(angle(values["theta"])) * z0 > 0, abs(z0), 0.0)[:, None]
    scaled = couplings * strength
    known, squares = along_coupling(values)
    if not known.size:
        return np.zeros(scaled.shape)
    inside = scaled > known[0]
    order = np.sqrt(np.maximum(PchipInterpolator(known, squares)(np.clip(scaled, known[0], None)), 0)) / np.where(
        inside, scaled, 1
    )
    return np.asarray(np.where(inside, strength * order, 0.0))


def diagram(values: Values) -> Array:
    """The map over V and r, at the middle of its points."""
    return map_orders(values, centres(V, GRID), centres(RATIO, GRID))


def boundary(values: Values) -> tuple[Array, Array]:
    """Closed form: couplings and ratios at which the incoherent state loses its stability (4.5); NaN where there is none."""
    critical = ss.critical_coupling(_growing(values))  # V_c |z0| does not depend on the ratio
    near = 1 + np.linspace(-0.9, 3, 118)  # where the line runs off to infinity, at r = 1
    ratios = np.unique([*near, *np.geomspace(RATIO.low, RATIO.high, 121)])
    z0 = (ratios - 1) / (ratios + 1)
    with np.errstate(divide="ignore"):
        couplings = critical / abs(z0)
    return np.where((np.sign(z0) == -np.sign(values["theta"])) & (couplings < 1.2 * V.high), couplings, np.nan), ratios


# ---- run and code


def _until(values: Values) -> float:
    """A time in which the motion settles, and turns some times; by the slowest Floquet exponent (4.6)."""
    cycle = ss.limit_cycle(ensemble(values))
    if not bool(cycle.synchronized) or "floquet_exponent" not in cycle:
        return SHORTEST
    slowest = -float(np.sort(cycle.floquet_exponent.values.real)[-2])
    return float(np.ceil(np.clip(12 / max(slowest, 1e-9), SHORTEST, LONGEST)))


def moments(values: Values, until: float) -> int:
    """How many times a run needs so that its fastest turn is a smooth path; with disorder spins are too many for this."""
    if values.get("spread"):
        return TIMES
    ratio, phase = values["r"], angle(values["theta"])
    drive = values["V"] * abs(cos(phase) * (ratio - 1) / (ratio + 1))  # on the way to the cycle: V cos(theta) z
    pull = (0.5 + values["dephasing"]) * abs(cos(phase)) / max(abs(sin(phase)), 1e-9)  # |Omega| of (4.3)
    fastest = min(pull, drive) + values.get("detuning", 0.0) / 2
    return round(min(max(TIMES, PER_TURN * fastest * until / (2 * pi)), MOST_TIMES))


def places(count: int = SPINS) -> Array:
    """Random places on the sphere, uniform, shape (spin, 3)."""
    m = np.random.default_rng(0).normal(size=(count, 3))
    return np.asarray(m / np.linalg.norm(m, axis=1, keepdims=True))


def run(values: Values) -> xr.Dataset:
    """Equal spins from random places; with disorder, classes of spins from a common weak coherence."""
    until = _until(values)
    times = np.linspace(0, until, moments(values, until))
    return ss.evolve(ensemble(values), times, initial=None if values.get("spread", 0.0) > 0 else places(), each=True)


def code(values: Values) -> str:
    """A Python program that makes the run, and a figure of it."""
    until = _until(values)
    frequency = f", frequency=ss.Gaussian({values['spread']!r})" if values.get("spread", 0.0) > 0 else ""
    start = (
        "run = ss.evolve(ensemble, times, each=True)  # classes of spins, from a weak common start\n"
        if values.get("spread", 0.0) > 0
        else f"start = np.random.default_rng(0).normal(size=({SPINS}, 3))  # {SPINS} spins at random places on the sphere\n"
        "start /= np.linalg.norm(start, axis=1, keepdims=True)\n"
        "run = ss.evolve(ensemble, times, initial=start, each=True)\n"
    )
    return (
        "import matplotlib.pyplot as plt\nimport numpy as np\nimport spinsync as ss\n\n"
        f"{head(values)}"
        "ensemble = ss.Ensemble.single(\n"
        f"    gain=r / (1 + r), damping=1 / (1 + r), coupling={values['V']!r}, theta={values['theta']!r} * np.pi,\n"
        f"    dephasing={values['dephasing']!r}{frequency},\n)\n"
        f"times = np.linspace(0, {until!r}, {moments(values, until)})\n{start}\n"
        "cycle, critical = ss.limit_cycle(ensemble), ss.critical_coupling(ensemble)  # closed forms\n"
        'print(f"R = {run.order_parameter[-1]:.6f}, closed form {cycle.order_parameter:.6f}")\n'
        'print(f"frequency {cycle.frequency:.6f}, critical coupling {critical:.6f}")\n\n'
        'figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3), layout="constrained")\n'
        "ss.plot.bloch_sphere(run, left)\n"
        "ss.plot.order_parameter(run, right)\n"
        'right.set_xlabel("time (κ+γ)t")\n'
        'ss.plot.save(figure, "spinsync-one-ensemble.png")\n'
    )


def head(values: Values) -> str:
    """Explains the unit, which all programs share."""
    numbers = rates(values)
    return (
        f"r = {values['r']!r}  # gain/damping; all rates in units of gain + damping:\n"
        f"#   gain {numbers['gain']:.4g}, damping {numbers['damping']:.4g}\n"
    )
