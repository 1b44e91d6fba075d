"""Machine code of a function depends on the function alone, not on what its process compiled before."""

import os
import subprocess
import sys

import pytest

PRODUCTS = """
import numpy as np
from spinsync.base.compiled import compiled

@compiled("complex128(complex128, complex128)", fastmath={"contract", "reassoc"})
def fused(a, b):
    return a * b

@compiled("void(complex128[::1], complex128[::1], complex128[::1])")
def products(a, b, out):
    for i in range(a.size):
        out[i] = a[i] * b[i]

def differences(fused_first):
    a, b = np.random.default_rng(1).normal(size=(2, 500, 2)).view(complex)[..., 0]
    if fused_first:
        fused(1.0 + 1j, 2.0 - 1j)
    out = np.empty(500, complex)
    products(a, b, out)
    return sum(complex(x) * complex(y) != z for x, y, z in zip(a, b, out))
"""


@pytest.mark.parametrize("fused_first", [False, True])
def test_a_product_has_the_same_bits_after_a_function_with_other_options(fused_first, tmp_path):
    """Of 500 products of complex numbers, compiled in a new process with an empty cache, none differs from Python's."""
    (tmp_path / "products.py").write_text(PRODUCTS)
    command = [sys.executable, "-c", f"import products; print(products.differences({fused_first}))"]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert (done.stdout, done.stderr) == ("0\n", "")
