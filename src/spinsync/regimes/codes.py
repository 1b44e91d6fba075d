"""Regimes of the long-time motion, and why one is undecided: codes, words, reasons."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import xarray as xr

from spinsync.base import checks
from spinsync.base.codes import Code


class Regime(IntEnum):
    """What a motion is in the end; for any number of groups (theory page, section 5).

    UNDECIDED (-1), INCOHERENT (0): the incoherent state is stable and the motion tends to it (where its stability is not
    known: every mean amplitude is below 1e-3); FULL (1): all bright groups share one frequency, at rest in a rotating frame;
    PHASE_TRAPPED (2): one frequency, not at rest; PARTIAL (3): at least two frequencies; IRREGULAR (4): not at rest, and the
    largest Lyapunov exponent is above its error; PULSATING (5): one bright group, whose amplitude oscillates regularly.

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
    """Why a regime is undecided; SETTLED where it is not."""

    SETTLED = 0, "the motion is stationary"
    STILL_CHANGING = 1, "the motion still changes after the longest run, as it does close to a boundary"
    FAILED = 2, "the time steps got too many or too small"
    NO_RELAXATION = 3, "a group has neither gain, damping nor dephasing, so it forgets nothing"
    THROUGH_ZERO = 4, "the coherence of a group runs through zero, where its phase is lost"


def flags(codes: type[IntEnum]) -> dict[str, Any]:
    """CF attributes of a variable that holds codes."""
    meanings = " ".join(code.name.lower() for code in codes)
    return {"flag_values": np.array([code.value for code in codes], np.int8), "flag_meanings": meanings}


def _word(code: int) -> str:
    return Regime(code).name.lower().replace("_", "-")


def label(codes: Any) -> Any:
    """The words of regime codes.

    Parameters
    ----------
    codes : Regime, int, array or DataArray of them
        Such as the variable `regime` of a result.

    Returns
    -------
    str, or an array or DataArray of the same shape

    Raises
    ------
    InputError
        If there is something that is no code from -1 to 5.

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
    words = np.array([_word(int(code)) for code in values.ravel()], np.dtypes.StringDType()).reshape(values.shape)
    if isinstance(codes, xr.DataArray) and codes.ndim:
        return codes.copy(data=words)
    return words if words.ndim else str(words)
