# SPDX-License-Identifier: Apache-2.0
"""Tensors between opcase.py and JAX, for make_jax_numbers.py and the parts of it."""
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from opcase import FLOATS, INTS, NUMPY, Tensor, int_range

jax.config.update("jax_enable_x64", True)

# Types that NumPy lacks.
NARROW = {"bf16": ml_dtypes.bfloat16, "f8e4m3fn": ml_dtypes.float8_e4m3fn,
          "f8e5m2": ml_dtypes.float8_e5m2}
KINDS = ["bool"] + INTS + list(FLOATS)
# XLA's CPU backend takes subnormals for zeros, and makes zeros of them; f16 and 8-bit floats
# are widened to f32, where theirs are normal.
FLUSHED = {k: np.finfo(t).tiny for k, t in (("f32", np.float32), ("f64", np.float64))}
FLUSHED["bf16"] = FLUSHED["f32"]


def letter(kind):
    """The class that ew.def's column `takes` has for it."""
    return "B" if kind == "bool" else "I" if kind in INTS else "F"


def given(t):
    """A Tensor as a JAX array."""
    return jnp.asarray(t.array.view(NARROW[t.kind]) if t.kind in NARROW else t.array)


def taken(y):
    """A JAX array as a Tensor."""
    y = np.asarray(y)
    for kind, t in NARROW.items():
        if y.dtype == t:
            return Tensor(y.view(FLOATS[kind][3]), kind)
    return Tensor(y)


def of(values, kind):
    """Python numbers, or an array of them, as a Tensor of `kind`."""
    values = np.asarray(values)
    if kind == "bool":
        return Tensor(values.astype(bool))
    if kind in INTS:
        return Tensor(values.astype(NUMPY[kind]))
    return Tensor.of(values.astype(object), kind)


def small(rng, kind, *shape):
    """Small whole numbers: their sums and products are exact in any order, in every type."""
    if kind == "bool":
        return of(rng.rand(*shape) < 0.5, kind)
    if kind in FLOATS and FLOATS[kind][1] <= 3:
        return of(rng.choice([-1, 0, 0, 0, 1], shape), kind)
    return of(rng.randint(0 if kind[0] == "u" else -2, 3, shape), kind)


def some(rng, kind, *shape):
    """Anything: integers over the whole range, floats around 0."""
    if kind == "bool":
        return of(rng.rand(*shape) < 0.5, kind)
    if kind in INTS:
        low, high = int_range(kind)
        return Tensor(rng.randint(low, high + 1, shape, NUMPY[kind]))
    return of(rng.normal(0, 2, shape), kind)
