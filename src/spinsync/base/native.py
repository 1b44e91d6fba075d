"""Machine code of translated functions (`translation.py`), made when it is first needed and kept on disk."""

from __future__ import annotations

import ctypes
import hashlib
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from spinsync.base import compile_cache, llvm_expressions, llvm_numbers, llvm_places, translation
from spinsync.base.interrupts import aside
from spinsync.base.notices import compiling_notice
from spinsync.base.translation import Given

NUMBERS: dict[str, Any] = {"float64": ctypes.c_double, "int64": ctypes.c_int64}


@cache
def _begun() -> None:
    if llvm.llvm_version_info < (20, 0, 0):  # later ones begin by themselves, and refuse to be asked
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def _machine() -> Any:
    """The processor at hand; one for each use, as an engine takes its own with it when it goes."""
    _begun()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True)


def _object(code: str) -> bytes:
    """What LLVM makes of its intermediate code. It is in vectors already, and loops that it would write out are few."""
    machine, module = _machine(), llvm.parse_assembly(code)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)  # how memory and the stack are aligned
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return bytes(machine.emit_object(module))


class Native:
    """A function that is machine code: numbers and contiguous arrays of the types of its signature."""

    def __init__(self, name: str, signature: Mapping[str, Given], code: bytes) -> None:
        self.signature = dict(signature)
        self._arrays = [(name, given if given.array else None) for name, given in signature.items()]
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        kinds = [ctypes.c_void_p if g.array else NUMBERS[str(g.dtype)] for g in signature.values()]
        self._call = ctypes.CFUNCTYPE(None, *kinds)(self._engine.get_function_address(name))

    def __call__(self, *arguments: Any) -> None:
        given = zip(self._arrays, arguments, strict=True)
        self._call(*(value if of is None else _address(name, of, value) for (name, of), value in given))


def _address(name: str, given: Given, array: np.ndarray) -> int:
    axes = array.ndim == 0 if given.inner is None else array.shape[1:] == given.inner
    right = array.dtype == given.dtype and axes and array.flags.c_contiguous
    if not right:  # machine code would read what is not there
        raise AssertionError(f"{name} is {array.dtype} {array.shape}, not contiguous {given}")
    return array.ctypes.data


@aside
def native(title: str, name: str, signature: Mapping[str, Given], made_of: str, code: Callable[[], str]) -> Native:
    """The function `name` of LLVM's code; `made_of` tells it from all others, and so finds its machine code on disk."""
    host = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvmlite.__version__
    compiler = [inspect.getsource(module) for module in (llvm_numbers, llvm_places, llvm_expressions, translation)]
    parts = (made_of, name, sorted(signature.items()), host, compiler)
    entry = f"{title}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:24]}.nbc"
    machine_code = compile_cache.load_code(entry)
    if machine_code is None:
        with compiling_notice(title):
            machine_code = _object(code())
        compile_cache.save_code(entry, machine_code)
    return Native(name, signature, machine_code)
