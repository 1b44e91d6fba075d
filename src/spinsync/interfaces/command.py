"""The command line.

Exit status 0: done; 1: a claim fails; 2: bad input, one message; 3: done, but points failed; 130: interrupted; 143: terminated.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
import warnings
from collections.abc import Callable
from decimal import Decimal
from importlib import metadata
from inspect import signature
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

import spinsync as ss
from spinsync.base import checks, compile_cache
from spinsync.base.files import new_folder
from spinsync.base.progress import duration

INTERRUPTED, TERMINATED = 130, 143
SIGNALLED = {INTERRUPTED: "Interrupted", TERMINATED: "Terminated"}

app = typer.Typer(
    name="spinsync", help="Quantum synchronization of ensembles of two-level systems.", no_args_is_help=True,
    add_completion=False, pretty_exceptions_enable=False,
)  # fmt: skip
#: typer's base class of errors in the command line, whose module depends on the version
_UsageError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"must be a number, but is {checks.short_repr(text)}") from None


def _whole(text: str) -> int:
    """A whole number, which may also be written as 1e4."""
    try:
        number = Decimal(text) if isfinite(float(text)) else None  # finite: up to about 300 digits
    except (ValueError, ArithmeticError):
        number = None
    if number is None or number != number.to_integral_value():
        raise typer.BadParameter(f"must be a whole number, but is {checks.short_repr(text)}")
    return int(number)


_kept: list[Path] = []  # where a sweep or a report keeps what is done of it

Model = Annotated[Path, typer.Argument(metavar="MODEL.toml", help="An ensemble as TOML.")]
Theory = Annotated[str, typer.Option(metavar="NAME", help="Level of theory, such as mean-field or exact.")]
Spins = Annotated[int | None, typer.Option(parser=_whole, metavar="N", help="Number of spins, for theories of finite N.")]
Samples = Annotated[int | None, typer.Option(parser=_whole, metavar="N", help="Number of samples of truncated-wigner.")]
Seed = Annotated[int, typer.Option(parser=_whole, metavar="N", help="Seed of the random start and of trajectories.")]
Out = Annotated[Path | None, typer.Option(metavar="FILE.zarr", help="Write the result to this new Zarr store.")]


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        typer.echo(f"spinsync {ss.__version__}")
        raise typer.Exit


def _theory(name: str, spins: int | None, samples: int | None) -> Any:
    from spinsync.theory.every import THEORIES

    kind = THEORIES[checks.one_of("--theory", name, THEORIES)]
    given = {"spins": (spins, "of finite N"), "samples": (samples, "that has samples")}
    taken = [option for option in given if option in signature(kind).parameters]
    for option, (value, those) in given.items():
        if value is not None and option not in taken:
            raise ss.InputError(f"Argument `--{option}` must go with a theory {those}, but the theory is {name}.")
        if value is None and option in taken:
            raise ss.InputError(f"Argument `--{option}` must be given with --theory {name}, but is missing.")
    return kind(**{option: given[option][0] for option in taken})


def _output(compute: Callable[[], Any], out: Path | None) -> None:
    """Print the result, or write it to a Zarr store, whose path is checked before the computation."""
    if out is None:
        typer.echo(compute())
        return
    with new_folder(out, "--out") as draft:
        compute().to_zarr(draft, mode="a", consolidated=False)
    typer.echo(f"wrote {out}")


@app.command()
def evolve(
    model: Model, theory: Theory = "mean-field", spins: Spins = None, samples: Samples = None,
    until: Annotated[float, typer.Option(parser=_number, metavar="TIME", help="Last time.")] = 30.0,
    points: Annotated[int, typer.Option(parser=_whole, metavar="N", help="Number of times, from 0 on.")] = 601,
    seed: Seed = 0, out: Out = None,
) -> None:  # fmt: skip
    """Time evolution of the ensemble."""
    import numpy as np

    if not 0 < until < np.inf:
        raise ss.InputError(f"Argument `--until` must be positive and finite, but is --until={until}.")
    if not 2 <= points <= 10_000_000:
        raise checks.argument_error("--points", "from 2 to 10000000", points)
    ensemble = ss.Ensemble.from_toml(model)
    level = _theory(theory, spins, samples)
    _output(lambda: ss.evolve(ensemble, np.linspace(0, until, points), theory=level, seed=seed), out)


@app.command("steady-state")
def steady_state(
    model: Model, theory: Theory = "mean-field", spins: Spins = None, samples: Samples = None, seed: Seed = 0, out: Out = None,
) -> None:  # fmt: skip
    """Steady state of the ensemble."""
    ensemble, level = ss.Ensemble.from_toml(model), _theory(theory, spins, samples)
    _output(lambda: ss.steady_state(ensemble, theory=level, seed=seed), out)


@app.command()
def regime(model: Model, seed: Seed = 0, out: Out = None) -> None:
    """Long-time regime of the ensemble: incoherent, full, phase-trapped, partial, irregular or pulsating."""
    ensemble = ss.Ensemble.from_toml(model)

    def compute() -> Any:
        result = ss.regime(ensemble, seed=seed)
        typer.echo(ss.label(result.regime), err=out is not None)
        return result

    _output(compute, out)


@app.command()
def sweep(
    file: Annotated[Path | None, typer.Argument(metavar="SWEEP.toml", help="A sweep as TOML.")] = None,
    out: Out = None,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Compute on workers of a Dask scheduler.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Compute failed points again.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of sweep files and stop.")] = False,
) -> None:  # fmt: skip
    """A question at all combinations of parameters; the same command goes on where it was stopped."""
    from spinsync.sweeps import sweep_files

    if schema:
        typer.echo(json.dumps(sweep_files.schema(), indent=2))
        return
    for name, value in (("SWEEP.toml", file), ("--out", out)):
        if value is None:
            raise ss.InputError(f"Argument `{name}` must be given, but is missing.")
    assert file is not None
    assert out is not None
    _kept[:] = [out]
    ss.sweep(**sweep_files.read_sweep(file), store=out, executor=scheduler, retry_failed=retry_failed)
    _kept.clear()
    if _print_status(out):
        raise typer.Exit(3)


@app.command()
def status(store: Annotated[Path, typer.Argument(metavar="FILE.zarr", help="The store of a sweep.")]) -> None:
    """How far a sweep has come."""
    _print_status(store)


def _print_status(store: Path) -> int:
    """Print what is done of a sweep; returns the number of failed points."""
    found = {str(name): value.item() for name, value in ss.sweep_status(store).items()}
    left = found["pending"] / found["rate"] if found["pending"] and found["rate"] > 0 else None
    time = "" if left is None else f", {duration(left)} left at the speed of the last run"
    typer.echo(f"{found['done']} of {found['points']} points done, {found['failed']} failed, {found['pending']} pending{time}")
    return int(found["failed"])


@app.command()
def paper(
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new folder for the report.")] = Path("report"),
    quick: Annotated[bool, typer.Option("--quick", help="Coarser grids, three chapters less.")] = False,
) -> None:
    """Reproduce arXiv:2511.10920, one ensemble and two groups: a report with figures, data and checked claims."""
    from spinsync.interfaces.paper.reproduction import draft_of, reproduce

    _kept[:] = [draft_of(out, quick)]
    if not reproduce(out, quick=quick):
        raise typer.Exit(1)


@app.command()
def explore(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on; only loopback is private.")]
    = "127.0.0.1",
    port: Annotated[int, typer.Option(parser=_whole, metavar="N", help="A port, 0 for a free one.")] = 0,
    story: Annotated[bool, typer.Option("--story", help="Open at the story for newcomers.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> None:  # fmt: skip
    """Explore in the browser: one ensemble, two groups, few spins, and a story for newcomers."""
    from spinsync.interfaces.explorer.server import serve

    if not 0 <= port <= 65535:
        raise checks.argument_error("--port", "from 0 to 65535", port)
    serve(host=host, port=port, story=story, browser=browser)


@app.command()
def doctor(
    clear_cache: Annotated[bool, typer.Option("--clear-cache", help="Only remove the compiled code from the disk.")] = False,
) -> None:
    """Versions of this installation, folders of the compile cache, and a test computation."""
    if clear_cache:
        _clear_cache()
        return
    typer.echo(f"spinsync {ss.__version__} on Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    for name in ("numpy", "scipy", "numba", "xarray", "zarr", "matplotlib"):
        typer.echo(f"{name} {metadata.version(name)}")
    folders = list(compile_cache.folders())
    for folder in folders:
        state = f"not writable ({folder.trouble})" if folder.trouble else "writable"
        typer.echo(f"cache {folder.path}: {folder.size()}, {state}")
    if all(folder.trouble for folder in folders):
        typer.echo("cache: no folder is writable, so each process recompiles for about 10 s")
    one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
    error = abs(float(ss.steady_state(one).inversion[0]) - float(ss.limit_cycle(one).inversion))
    typer.echo(f"limit cycle: simulation and closed form differ by {error:.1e}")
    if error > 1e-7:
        raise typer.Exit(1)


def _clear_cache() -> None:
    cleared = [folder for folder in compile_cache.clear() if folder.entries or folder.trouble]
    for folder in cleared:
        typer.echo(f"cache {folder.path}: removed {folder.size()}")
    if not cleared:
        typer.echo("cache: nothing to remove")
    if left := [f"{str(folder.path)!r} is not ({folder.trouble})" for folder in cleared if folder.trouble]:
        raise ss.InputError(f"The cache must be writable to be cleared, but {', '.join(left)}.")


def _report_error(message: str) -> int:
    print(" ".join(message.replace("Value error, ", "").split()), file=sys.stderr)
    return 2


def _choices(error: Any) -> str:
    """The valid options or commands, if typer's error message does not list them."""
    if error.ctx is None:
        return ""
    if hasattr(error, "option_name"):
        options = [name for p in error.ctx.command.get_params(error.ctx) for name in p.opts if name.startswith("-")]
        return f" (options are {', '.join(options)})"
    if "No such command" in error.format_message():
        return f" (commands are {', '.join(error.ctx.command.list_commands(error.ctx))})"
    return ""


class _TerminatedError(BaseException):
    """SIGTERM, as sent by batch systems and containers. Not an Exception, so that no `except Exception` catches it."""


def _terminate(number: int, frame: Any) -> None:
    raise _TerminatedError


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: print(f"Warning: {message}", file=sys.stderr)
            status = int(app(args=arguments, standalone_mode=False) or 0)
    except (ss.InputError, ss.IntegrationError) as error:
        return _report_error(str(error))
    except _UsageError as error:
        return _report_error(checks.one_line(error.format_message(), 300) + _choices(error)) if error.format_message() else 2
    except (KeyboardInterrupt, typer.Abort) as stop:
        if isinstance(stop.__cause__, EOFError):  # typer turns every EOFError into an Abort
            raise stop.__cause__ from None
        status = INTERRUPTED
    except _TerminatedError:
        status = TERMINATED
    if status in SIGNALLED:  # typer turns an interrupt into this status
        kept = "what is done is kept, and the same command goes on" if _kept and _kept[0].exists() else "nothing was written"
        print(f"{SIGNALLED[status]}; {kept}.", file=sys.stderr)
    return status


def main() -> None:
    """Run the command line and end the process; after an interrupt, without waiting for cancelled threads."""
    signal.signal(signal.SIGTERM, _terminate)
    status = run()
    if status in SIGNALLED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)  # sys.exit can neither stop a compiler in another thread nor leave it running
    sys.exit(status)
