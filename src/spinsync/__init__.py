"""spinsync: where quantum synchronization is computed.

One model, several levels of theory: an ensemble of two-level systems with gain, damping and a complex
coupling, and functions that compute its properties. Results are xarray Datasets. Start with
`Ensemble.single`, `evolve` and `limit_cycle`.
"""

from typing import Any

import lazy_loader

from spinsync._version import __version__
from spinsync.base.interrupts import in_background

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]


def __getattr__(name: str) -> Any:
    """Load a public name at first use, in a background thread, since imports take long and can't be interrupted."""
    globals()[name] = in_background(_load)(name)
    return globals()[name]
