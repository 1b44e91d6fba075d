"""Codes of the regimes and of the reasons why a regime is undecided, and their labels."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.codes import Code
from spinsync.base.keywords import known_keywords


class Regime(IntEnum):
    """The regime of the long-time motion of any number of groups (theory page, section 5).

    UNDECIDED (-1); INCOHERENT (0): the motion converges to the stable incoherent state (if its stability is unknown: every
    mean amplitude is below 1e-3); FULL (1): all coherent groups share one frequency, a fixed point in a rotating frame;
    PHASE_TRAPPED (2): one mean frequency, but no fixed point; PARTIAL (3): at least two frequencies; IRREGULAR (4): the largest
    Lyapunov exponent is above its error; PULSATING (5): one coherent group, whose amplitude oscillates regularly.

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.Regime(2).name
    'PHASE_TRAPPED'
    """

    UNDECIDED = -1
    INCOHERENT = 0
    FULL = 1
    PHASE_TRAPPED = 2
    PARTIAL = 3
    IRREGULAR = 4
    PULSATING = 5


class Status(Code):
    """The reason why a regime is undecided; SETTLED if it is decided."""

    SETTLED = 0, "the motion is stationary"
    STILL_CHANGING = 1, "the motion still changes after the longest run, as happens close to a boundary"
    FAILED = 2, "the time steps became too many or too small"
    NO_RELAXATION = 3, "a group has neither gain, damping nor dephasing, so its initial state never decays"
    THROUGH_ZERO = 4, "the coherence of a group passes through zero, where its phase is undefined"


@known_keywords
def label(codes: Any) -> Any:
    """The labels of regime codes.

    Parameters
    ----------
    codes : Regime, int, array or DataArray of them
        For example the variable `regime` of a result.

    Returns
    -------
    str, or an array or DataArray of the same shape

    Raises
    ------
    InputError
        If a value is not a code from -1 to 5.

    Examples
    --------
    >>> import spinsync as ss
    >>> ss.label(2)
    'phase-trapped'
    >>> ss.label([1, 3]).tolist()
    ['full', 'partial']
    """
    values = checks.numbers("codes", codes, float, "regimes, whole numbers from -1 to 5")
    if not np.all(np.isin(values, list(Regime))):
        raise checks.argument_error("codes", "regimes, whole numbers from -1 to 5", codes)
    names = [Regime(int(code)).name.lower().replace("_", "-") for code in values.ravel()]
    labels = np.array(names, np.dtypes.StringDType()).reshape(values.shape)
    if isinstance(codes, xr.DataArray) and codes.ndim:
        return codes.copy(data=labels)
    return labels if labels.ndim else str(labels)
