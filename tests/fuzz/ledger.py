"""One call of the fuzz: it is counted and timed, and must end in an answer or in an error message."""

from __future__ import annotations

import faulthandler
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr

import spinsync as ss

LONGEST = 20  # seconds of one call
LONGEST_MESSAGE = 1500  # characters

#: variable -> why it may be NaN; of every function, or of one as "function.variable"
MAY_BE_NAN = {
    "frequency": "the phase is undefined: incoherent, or through zero",
    "correlation": "a group of one spin has no pair",
    "inversion_correlation": "a group of one spin has no pair",
    "concurrence": "a group of one spin has no pair",
    "mutual_information": "a group of one spin has no pair",
    "phase_difference_density": "a group of one spin has no pair",
    "correlation_error": "a group of one spin has no pair",
    "inversion_correlation_error": "a group of one spin has no pair",
    "anomalous_covariance": "a group of one spin has no pair",
    "anomalous_covariance_error": "a group of one spin has no pair",
    "coherence_covariance": "a group of one spin has no pair",
    "coherence_inversion_covariance": "a group of one spin has no pair",
    "coherence_inversion_covariance_error": "a group of one spin has no pair",
    "inversion_covariance": "a group of one spin has no pair",
    "phase": "no coherence",
    "phase_locking": "a group is incoherent",
    "phase_difference": "a group is incoherent; no such state",
    "period": "the motion does not repeat itself",
    "order_parameter_range": "the motion does not repeat itself",
    "lyapunov": "undecided",
    "lyapunov_error": "undecided",
    "limit_cycle.floquet_exponent": "no cycle",
    "limit_cycle.phase_diffusion": "no cycle",
    "limit_cycle.cavity_frequency": "no light",
    "symmetric_pair.amplitude": "no such state",
    "symmetric_pair.inversion": "no such state",
    "symmetric_pair.existence_detuning": "no such state",
    "symmetric_pair.hopf_detuning": "no such state",
    "locking_range.beat_frequency": "locked",
    "locking_range.phase_offset": "no coupling of the phases",
    "photon_statistics.g2": "no light",
    "photon_statistics.g2_error": "no light",
    "squeezing.wineland": "no mean spin",
    "squeezing.dicke": "no spin but along z",
    "compare.coherence": "a theory has none",
    "compare.coherence_error": "a theory has none",
    "compare.inversion_error": "a theory has none",
    "compare.order_parameter_error": "a theory has none",
    "compare.trajectories": "a theory has none",
}
#: NaN for a group without gain and damping, whose inversion is undetermined
FREE = {"limit_cycle.inversion"}

REFUSED = object()
calls: Counter[str] = Counter()
computed: Counter[str] = Counter()
raised: Counter[str] = Counter()
cases: Counter[int] = Counter()  # command lines by their status
asked: Counter[str] = Counter()  # comparisons of two answers
compared: Counter[str] = Counter()  # those of them where neither is a refusal
refusals: dict[str, str] = {}  # the last error message of each function
longest: dict[str, float] = {}  # processor seconds of each call that took longer than all before it


class HangError(BaseException):
    """A call that takes too long; no `except Exception` may swallow it."""


@contextmanager
def limited(what: Callable[[], str], seconds: int = LONGEST) -> Iterator[None]:
    """End a call that takes longer: by an exception, or by ending the process where compiled code does not return."""

    def stop(*_: Any) -> None:
        raise HangError(f"over {seconds} s: {what()}")

    begin, before = time.process_time(), signal.signal(signal.SIGPROF, stop)  # processor time, as other processes may be busy
    signal.setitimer(signal.ITIMER_PROF, seconds)
    faulthandler.dump_traceback_later(6 * seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        if (spent := time.process_time() - begin) > max(longest.values(), default=1.0):
            longest[what()] = spent


def _drawn() -> tuple[int, int]:
    _, key, position, *_ = np.random.get_state()  # noqa: NPY002  # the user's own
    return int(np.sum(key)), int(position)


@contextmanager
def same_settings(what: Callable[[], str]) -> Iterator[None]:
    """Numpy's errors and random numbers and Python's warnings stay the user's; only a first import may add filters."""
    modules, errors, filters, drawn = len(sys.modules), np.geterr(), list(warnings.filters), _drawn()
    try:
        yield
    finally:
        assert np.geterr() == errors, f"another np.geterr() after {what()}"
        assert _drawn() == drawn, f"numpy's common random numbers are used by {what()}"
        assert len(sys.modules) > modules or warnings.filters == filters, f"other filters of warnings after {what()}"


def short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return " ".join(text.split())[:300]


def check_message(text: str) -> None:
    """One line of printable text that ends in a full stop."""
    assert text.strip() == text, text
    assert text, "an empty message"
    assert text.isprintable(), repr(text)
    assert text.endswith("."), text
    assert len(text) <= LONGEST_MESSAGE, f"{len(text)} characters: {text[:200]}"


def check_numbers(result: Any, name: str) -> None:
    """No NaN that no docstring announces."""
    if isinstance(result, xr.Dataset):
        settled = result.get("settled", True)  # where it is not settled, `status` has the reason
        for key, values in result.data_vars.items():
            if values.dtype.kind in "fc" and not {str(key), f"{name}.{key}"} & (MAY_BE_NAN.keys() | FREE):
                counted = result.get(f"{str(key).removesuffix('_error')}_count", 2)  # realizations with a value
                known = settled & (counted > str(key).endswith("_error"))  # one has no standard error, none no mean
                assert not (np.isnan(result[key]) & known).any(), f"{name} gives NaN in {key}"
    elif isinstance(result, (float, complex, np.ndarray)):
        assert not np.isnan(result).any(), f"{name} gives NaN"


def call(name: str, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Any:
    """What the call returns, which must hold no NaN, or REFUSED if it raises an error message; else fail and show the call."""
    result = attempt(name, function, *arguments, **options)
    check_numbers(result, name)
    return result


def attempt(name: str, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Any:
    """As `call`, but the answer may hold NaN: for calls that were given NaN."""

    def what() -> str:
        shown = ", ".join([*map(short, arguments), *(f"{key}={short(value)}" for key, value in options.items())])
        return f"{name}({shown})"

    calls[name] += 1
    try:
        with limited(what), same_settings(what):
            result = function(*arguments, **options)
    except (ss.InputError, ss.IntegrationError) as error:
        raised[type(error).__name__] += 1
        check_message(str(error))
        refusals[name] = str(error)
        return REFUSED
    except (HangError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise AssertionError(f"{type(error).__name__}: {short(error)} from {what()}") from error
    computed[name] += 1
    return result


def answered(comparison: str, *answers: Any) -> bool:
    """Whether none of the answers is a refusal; counted, so that a comparison that is never made is noticed."""
    asked[comparison] += 1
    compared[comparison] += (done := all(answer is not REFUSED for answer in answers))
    return done


def sure(name: str, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Any:
    """As `call`, for a call that must not raise an error message."""
    result = call(name, function, *arguments, **options)
    assert result is not REFUSED, f"{name} refuses {short(arguments)} {short(options)}: {refusals[name]}"
    return result


def count_case(status: int) -> None:
    cases[status] += 1


def report() -> str:
    total, valid = sum(calls.values()), sum(computed.values())
    rows = ", ".join(f"{name} {count}" for name, count in sorted(calls.items(), key=lambda item: item[1]))
    cases_text = f"{sum(cases.values())} files and command lines, {cases[0]} of them computed"
    share = f"{valid} of them computed ({valid / max(total, 1):.0%}), others ended in {dict(raised)}"
    slow = "; ".join(f"{seconds:.1f} s for {text}" for text, seconds in longest.items()) or "less than 1 s"
    return f"{cases_text}; {total} calls, {share}; the longest took {slow}; by name: {rows}"
