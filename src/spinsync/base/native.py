"""Machine code of translated functions (`translation.py`), compiled when first needed and cached on disk."""

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

from spinsync.base import compile_cache, llvm_arithmetic, llvm_expressions, llvm_memory, translation
from spinsync.base.interrupts import in_background
from spinsync.base.notices import compiling_notice
from spinsync.base.translation import Argument

NUMBERS: dict[str, Any] = {"float64": ctypes.c_double, "int64": ctypes.c_int64}


@cache
def _initialize() -> None:
    if llvm.llvm_version_info < (20, 0, 0):  # later versions initialize themselves, and refuse this call
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def _machine() -> Any:
    """The target machine: this processor. A new one for each use, since an engine owns and deletes its target machine."""
    _initialize()
    target = llvm.Target.from_triple(llvm.get_process_triple())
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True)


def _object_code(code: str) -> bytes:
    """Compile LLVM's intermediate code, without automatic vectorization: it consists of vectors already."""
    machine, module = _machine(), llvm.parse_assembly(code)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)  # alignment of memory and stack
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return bytes(machine.emit_object(module))


class NativeFunction:
    """A compiled function of numbers and contiguous arrays, whose types are checked against the signature."""

    def __init__(self, name: str, signature: Mapping[str, Argument], code: bytes) -> None:
        self.signature = dict(signature)
        self._arrays = [(name, kind if kind.array else None) for name, kind in signature.items()]
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        kinds = [ctypes.c_void_p if kind.array else NUMBERS[str(kind.dtype)] for kind in signature.values()]
        self._call = ctypes.CFUNCTYPE(None, *kinds)(self._engine.get_function_address(name))

    def __call__(self, *arguments: Any) -> None:
        pairs = zip(self._arrays, arguments, strict=True)
        self._call(*(value if kind is None else _address(name, kind, value) for (name, kind), value in pairs))


def _address(name: str, expected: Argument, array: np.ndarray) -> int:
    axes = array.ndim == 0 if expected.inner is None else array.shape[1:] == expected.inner
    right = array.dtype == expected.dtype and axes and array.flags.c_contiguous
    if not right:  # machine code would read outside the array
        raise AssertionError(f"{name} is {array.dtype} {array.shape}, not contiguous {expected}")
    return array.ctypes.data


@in_background
def native(title: str, name: str, signature: Mapping[str, Argument], sources: str, code: Callable[[], str]) -> NativeFunction:
    """The function `name` of LLVM's intermediate code; `sources`, the text it depends on, identifies it in the cache."""
    host = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvmlite.__version__
    compiler = [inspect.getsource(module) for module in (llvm_arithmetic, llvm_memory, llvm_expressions, translation)]
    parts = (sources, name, sorted(signature.items()), host, compiler)
    entry = f"{title}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:24]}.nbc"
    machine_code = compile_cache.load_code(entry)
    if machine_code is None:
        with compiling_notice(title):
            machine_code = _object_code(code())
        compile_cache.save_code(entry, machine_code)
    return NativeFunction(name, signature, machine_code)
