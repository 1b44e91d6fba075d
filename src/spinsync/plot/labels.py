"""Names of parameters and quantities on the axes of figures, and by what their values are divided there."""

from __future__ import annotations

from spinsync.model.ensembles import Ensemble
from spinsync.model.parameters import RATE, parameter
from spinsync.plot.units import DAMPING, Unit

#: words and TeX symbols of quantities with the unit of a rate, and of others
RATES = {
    "frequency": ("frequency", r"\Omega"),
    "linewidth": ("linewidth, FWHM", r"\Delta\nu"),
    "lyapunov": ("Lyapunov exponent", r"\lambda"),
}
NUMBERS = {"amplitude": ("amplitude", "|s|"), "inversion": ("inversion", "z"), "order_parameter": ("order parameter", "R")}
ONE_GROUP = ("amplitude", "inversion", "frequency", "order_parameter", "lyapunov", "linewidth")
#: of the first two groups
TWO_GROUPS = {
    "phase_locking": ("phase locking", r"|\langle e^{i(\varphi_\mathrm{A}-\varphi_\mathrm{B})}\rangle|"),
    "phase_difference": ("phase difference", r"\varphi_\mathrm{A}-\varphi_\mathrm{B}"),
}


def index(name: object) -> str:
    r"""The name of a group as an upright index of a symbol; what mathtext would read as a command becomes a blank."""
    letters = "".join(letter if letter.isalnum() else r"\ " for letter in str(name))
    return rf"_\mathrm{{{letters}}}"


def quantity_label(name: str, unit: Unit) -> str:
    """Label of a quantity."""
    if name in RATES:
        return unit.label(*RATES[name])
    words, symbol = (NUMBERS | TWO_GROUPS)[name]
    return f"{words}  ${symbol}$"


def quantity_size(name: str, unit: Unit) -> float:
    """By what the values of a quantity are divided."""
    return unit.size if name in RATES else 1.0


def parameter_label(name: str, ensemble: Ensemble, unit: Unit) -> str:
    """Label of a parameter's axis, with the groups that a dotted name sets."""
    described, where = parameter(name), name.split(".")[:-1]
    words = described.label + (f" ({', '.join(where)})" if len(ensemble.groups) > 1 and where else "")
    if described.unit != RATE:
        return f"{words}  ${described.symbol}$"
    if unit.name == DAMPING and words == "gain":
        return r"gain-to-damping ratio  $r=\kappa/\gamma$"
    return unit.label(words, described.symbol)


def parameter_size(name: str, unit: Unit) -> float:
    """By what the values of a parameter are divided."""
    return unit.size if has_rate(name) else 1.0


def has_rate(name: str) -> bool:
    """Whether a parameter has the unit of a rate."""
    return parameter(name).unit == RATE
