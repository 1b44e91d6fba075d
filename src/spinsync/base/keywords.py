"""Misspelled keyword arguments of public functions and classes: one sentence with the nearest name."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Any, ParamSpec, TypeVar

from spinsync.base.checks import InputError, one_of

P = ParamSpec("P")
Answer = TypeVar("Answer")
Class = TypeVar("Class", bound=type)
UNLISTED = ("self", "cls", "recipe")  # not for users


class KeywordError(InputError, TypeError):
    """An unknown keyword argument; a TypeError as well, as Python itself would raise."""


def known_keywords(function: Callable[P, Answer]) -> Callable[P, Answer]:
    """A decorator that refuses unknown keyword arguments. Raises InputError with the nearest of the known ones."""
    parameters = signature(function).parameters.values()
    names = [p.name for p in parameters if p.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)]
    if any(p.kind is Parameter.VAR_KEYWORD for p in parameters):
        return function

    @wraps(function)
    def checked(*arguments: P.args, **options: P.kwargs) -> Answer:
        for name in options.keys() - names:
            try:
                one_of("keyword", name, [one for one in names if one not in UNLISTED])
            except InputError as error:
                raise KeywordError(str(error)) from None
        return function(*arguments, **options)

    return checked


def known_fields(cls: Class) -> Class:
    """The same for the constructor of a class."""
    constructor: Any = cls
    constructor.__init__ = known_keywords(constructor.__init__)
    return cls
