"""spinsync: where quantum synchronization is computed.

One model, every level of theory: an ensemble of two-level systems with gain, damping and a complex
coupling, and the questions one asks of it. Results are xarray Datasets. Start with
`Ensemble.single`, `evolve` and `limit_cycle`.
"""

import lazy_loader

from spinsync._version import __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
