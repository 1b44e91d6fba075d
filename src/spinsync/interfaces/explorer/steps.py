"""What a page gives to the server: pieces of work, quick ones first. Imports no science, as the server starts without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from spinsync.interfaces.explorer.controls import Control, Values

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

Parts = dict[str, dict[str, Any]]  # part of the page -> its changed traits


@dataclass(frozen=True)
class Step:
    """A piece of work.

    Attributes
    ----------
    label : str
        What it makes, to be said after "Computing ".
    compute : callable
        Makes the changed traits by part; may take long, and may raise InputError or IntegrationError.
    finishes : mapping
        Pictures that are complete after it, with the key of what they show; `steps` is given them as `drawn` next time.
    """

    label: str
    compute: Callable[[], Parts]
    finishes: Mapping[str, object] = field(default_factory=dict)


class View(Protocol):
    """What Python computes for one page, or one step of the story."""

    @property
    def name(self) -> str:
        """For names of files: "one-ensemble"."""

    @property
    def controls(self) -> tuple[Control, ...]:
        """What can be set."""

    @property
    def pictures(self) -> Mapping[str, Callable[[Values], Figure]]:
        """Figures to download, by the name in the address."""

    @property
    def data(self) -> Callable[[Values], xr.Dataset] | None:
        """Makes the result to download, if there is one."""

    def steps(self, values: Values, drawn: Mapping[str, object]) -> Iterator[Step]:
        """What to do for these values; pictures that `drawn` has with their present key are left as they are."""
