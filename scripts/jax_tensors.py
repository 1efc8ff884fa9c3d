# SPDX-License-Identifier: Apache-2.0
"""Tensors of every element type between opcase.py and JAX, for make_jax_numbers.py."""
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

import opcase

jax.config.update("jax_enable_x64", True)

INTS = ["i2", "i4", "i8", "i16", "i32", "i64", "u2", "u4", "u8", "u16", "u32", "u64"]
F8 = ["f8e3m4", "f8e4m3", "f8e4m3fn", "f8e4m3fnuz", "f8e4m3b11fnuz", "f8e5m2", "f8e5m2fnuz",
      "f8e8m0fnu"]
FLOATS = ["f4e2m1"] + F8 + ["f16", "bf16", "f32", "f64"]
COMPLEX = ["c64", "c128"]
NUMBERS = INTS + FLOATS
KINDS = ["bool"] + NUMBERS
DTYPE = {"bool": np.dtype(bool), "bf16": ml_dtypes.bfloat16, "f4e2m1": ml_dtypes.float4_e2m1fn,
         "f16": np.float16, "f32": np.float32, "f64": np.float64, "c64": np.complex64,
         "c128": np.complex128}
DTYPE |= {k: getattr(ml_dtypes, "float8_" + k[2:]) for k in F8}
DTYPE |= {k: getattr(ml_dtypes if int(k[1:]) < 8 else np, ("int" if k[0] == "i" else "uint") + k[1:])
          for k in INTS}
DTYPE = {k: np.dtype(t) for k, t in DTYPE.items()}
KIND = {t: k for k, t in DTYPE.items()}
# Names in a file; of the other types the bytes are stored as u8 along one axis.
STORED = {"bf16": ("BF16", np.uint16), "f8e4m3fn": ("F8_E4M3", np.uint8),
          "f8e5m2": ("F8_E5M2", np.uint8), "f8e4m3fnuz": ("F8_E4M3FNUZ", np.uint8),
          "f8e5m2fnuz": ("F8_E5M2FNUZ", np.uint8), "f8e8m0fnu": ("F8_E8M0", np.uint8),
          "c64": ("C64", np.complex64)}
# XLA's CPU backend takes subnormals for zeros, and makes zeros of them; f16 and narrower
# floats are widened to f32, where theirs are normal.
FLUSHED = dict.fromkeys(["f32", "bf16", "f8e8m0fnu", "c64"], 2.0 ** -126) | dict.fromkeys(
    ["f64", "c128"], 2.0 ** -1022)
# What JAX has few functions for, or rounds after each step: taken in this type, rounded once.
WIDE = {"i2": "i8", "i4": "i8", "u2": "u8", "u4": "u8"} | dict.fromkeys(F8 + ["f4e2m1"], "f32")


def letter(kind):
    """The class that ew.def's column `takes` has for it."""
    return "B" if kind == "bool" else "I" if kind in INTS else "C" if kind in COMPLEX else "F"


def bits_of(kind):
    return 4 if kind == "f4e2m1" else int(kind[1:]) if kind in INTS else 8 * DTYPE[kind].itemsize


class Numbers(opcase.Tensor):
    """Elements as JAX gives them."""

    def __init__(self, array):
        self.array = np.asarray(array)
        self.kind = KIND[self.array.dtype]
        if self.kind in COMPLEX or self.kind in ("f16", "f32", "f64"):
            self.array = np.where(np.isnan(self.array), np.array(np.nan, self.array.dtype),
                                  self.array)

    def values(self):
        """Python numbers, exactly, along one axis."""
        wide = {"B": bool, "F": float, "C": complex}.get(letter(self.kind), object)
        flat = self.array.ravel()
        if self.kind in INTS:
            flat = flat.astype(np.uint64 if self.kind[0] == "u" else np.int64)
        return flat.astype(wide)

    def bytes(self):
        flat = np.ascontiguousarray(self.array).ravel()
        per = 8 // bits_of(self.kind) if bits_of(self.kind) < 8 else 1
        raw = flat.view(np.uint8)
        if per == 1:
            return raw
        raw = np.append(raw & (2 ** (8 // per) - 1), np.zeros(-raw.size % per, np.uint8))
        return sum(raw[i::per] << (i * 8 // per) for i in range(per)).astype(np.uint8)

    def stored(self):
        if self.array.dtype.name in opcase.tensorfile.NAMES:
            return self.array
        if self.kind in STORED:
            name, bits = STORED[self.kind]
            return name, self.array.view(bits)
        return self.bytes()


def given(t):
    return jnp.asarray(t.array)


def taken(y):
    return Numbers(y)


def wide(t):
    """A Tensor as a JAX array of the type it is computed in."""
    return given(t).astype(DTYPE[WIDE.get(t.kind, t.kind)])


def cut(y, kind):
    return Numbers(y.astype(DTYPE[kind]))


def of(values, kind):
    """Numbers, or an array of them, as a Tensor of `kind`."""
    values = np.asarray(values, object)
    if kind in INTS:
        values = values.astype(np.uint64 if kind[0] == "u" else np.int64)
    else:
        values = values.astype({"B": bool, "F": float, "C": complex}[letter(kind)])
    return Numbers(values.astype(DTYPE[kind]))


def small(rng, kind, *shape):
    """Small whole numbers: their sums and products are exact in any order, in every type."""
    if kind == "bool":
        return of(rng.rand(*shape) < 0.5, kind)
    if kind in COMPLEX:
        return of(rng.randint(-2, 3, shape) + 1j * rng.randint(-2, 3, shape), kind)
    if kind in F8 + ["f4e2m1", "i2"]:
        return of(rng.choice([-1, 0, 0, 0, 1] if kind != "f8e8m0fnu" else [1, 2], shape), kind)
    return of(rng.randint(0 if kind[0] == "u" else -2, 3, shape), kind)


def some(rng, kind, *shape):
    """Anything: integers over the whole range, floats around 0."""
    if kind == "bool":
        return of(rng.rand(*shape) < 0.5, kind)
    if kind in INTS:
        low, high = opcase.int_range(kind)
        wide = np.uint64 if kind[0] == "u" else np.int64
        return of(rng.randint(low, high + 1, shape, wide), kind)
    if kind in COMPLEX:
        return of(rng.normal(0, 2, shape) + 1j * rng.normal(0, 2, shape), kind)
    return of(np.abs(rng.normal(0, 2, shape)) + 0.1 if kind == "f8e8m0fnu" else
              rng.normal(0, 2, shape), kind)


def every(kind):
    """All elements that a type of up to 8 bits has."""
    bits = np.arange(2 ** bits_of(kind), dtype=np.uint8)
    return Numbers(bits.view(DTYPE[kind]))
