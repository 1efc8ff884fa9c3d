# SPDX-License-Identifier: Apache-2.0
"""A graph with its inputs and the outputs that it must give, as one safetensors file.

Also exact rounding to every element type, in whole numbers and fractions: NumPy has
neither bfloat16 nor 8-bit floats, and its conversions are not the graph's.
"""
import os
from fractions import Fraction

import numpy as np

import tensorfile

# name: bits of exponent and mantissa, whether without infinity, type of the bits
FLOATS = {"f8e4m3fn": (4, 3, True, "uint8"), "f8e5m2": (5, 2, False, "uint8"),
          "f16": (5, 10, False, "uint16"), "bf16": (8, 7, False, "uint16"),
          "f32": (8, 23, False, "uint32"), "f64": (11, 52, False, "uint64")}
INTS = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"]
NUMPY = {"bool": "bool", "f16": "float16", "f32": "float32", "f64": "float64", "c64": "complex64"}
NUMPY |= {t: t.replace("i", "int").replace("u", "uint") for t in INTS}
ADZE = {v: k for k, v in NUMPY.items()}
STORED = {"f8e4m3fn": "F8_E4M3", "f8e5m2": "F8_E5M2", "bf16": "BF16"}


def int_range(kind):
    bits = int(kind[1:])
    return (0, 2 ** bits - 1) if kind[0] == "u" else (-2 ** (bits - 1), 2 ** (bits - 1) - 1)


def wrap(v, kind):
    low, high = int_range(kind)
    return (v - low) % (high - low + 1) + low


def float_bits(v, kind):
    """The bits of an int or float rounded once, to nearest even."""
    ebits, mbits, finite, _ = FLOATS[kind]
    bias, inf = 2 ** (ebits - 1) - 1, (2 ** ebits - 1) << mbits
    nan = inf | (2 ** mbits - 1 if finite else 1 << (mbits - 1))
    if isinstance(v, float) and np.isnan(v):
        return nan
    sign = int(np.copysign(1, v) < 0 if isinstance(v, float) else v < 0) << (ebits + mbits)
    if isinstance(v, float) and np.isinf(v):
        return sign | (nan if finite else inf)
    f = abs(Fraction(v))
    if f == 0:
        return sign
    e = f.numerator.bit_length() - f.denominator.bit_length()
    e = max(e - (Fraction(2) ** e > f), 1 - bias)
    bits = ((e + bias - 1) << mbits) + round(f / Fraction(2) ** (e - mbits))
    if bits >= (nan if finite else inf):
        return sign | (nan if finite else inf)
    return sign | bits


def bits_float(u, kind):
    """The value of an element, which every double holds."""
    ebits, mbits, finite, _ = FLOATS[kind]
    bias, u = 2 ** (ebits - 1) - 1, int(u)
    e, m = u >> mbits & (2 ** ebits - 1), u & (2 ** mbits - 1)
    if e == 2 ** ebits - 1 and not finite:
        v = np.inf if m == 0 else np.nan
    elif e == 2 ** ebits - 1 and m == 2 ** mbits - 1:
        v = np.nan
    else:
        v = float(Fraction(m + (e > 0) * 2 ** mbits) * Fraction(2) ** (max(e, 1) - bias - mbits))
    return float(np.copysign(v, -1.0 if u >> (ebits + mbits) else 1.0))


class Tensor:
    """Elements as the graph knows them: a type's name and an array, of bits for types
    that NumPy lacks. NaNs are all made the same one."""

    def __init__(self, array, kind=None):
        self.array = np.array(array)
        self.kind = kind or ADZE[self.array.dtype.name]
        if self.array.dtype.kind == "f":
            self.array[np.isnan(self.array)] = np.nan

    @staticmethod
    def of(values, kind):
        """Python numbers, each rounded to `kind`; the shape is that of `values`."""
        values = np.asarray(values, object)
        if kind in FLOATS:
            bits = np.array([float_bits(v, kind) for v in values.ravel()], FLOATS[kind][3])
            bits = bits.reshape(values.shape)
            return Tensor(bits.view(NUMPY[kind]) if kind in NUMPY else bits, kind)
        return Tensor(values.astype(NUMPY[kind]), kind)

    def values(self):
        """Python numbers, exactly, in a flat list."""
        if self.kind in FLOATS:
            bits = self.array.view(FLOATS[self.kind][3]).ravel()
            return [bits_float(u, self.kind) for u in bits]
        return [v if self.kind == "bool" else int(v) for v in self.array.ravel().tolist()]

    def stored(self):
        return (STORED[self.kind], self.array) if self.kind in STORED else self.array


def tensor(x):
    return x if isinstance(x, Tensor) else Tensor(x)


def attr_text(v):
    return "[" + ", ".join(map(str, v)) + "]" if isinstance(v, (list, tuple)) else str(v)


class Case:
    """One file. Inputs first, then one operation an output; `tolerance` is of all outputs:

    exact    the same bits; any NaN for NaN
    ulp:N    at most N representable values apart; zeros of both signs are one
    rel:R abs:A   |got - expected| <= A + R * |expected|; infinities and NaN as they are
    """

    def __init__(self, name, tolerance="exact"):
        self.name, self.tolerance = name, tolerance
        self.inputs, self.types, self.expect = {}, {}, {}
        self.bodies, self.lines, self.outs = [], [], []  # texts; (name, line)

    def input(self, name, x, shape=None):
        """`shape` is the declared text where it is more than the extents."""
        self.inputs[name] = tensor(x)
        self.types[name] = self.type(self.inputs[name], shape)

    @staticmethod
    def type(x, shape=None):
        shape = shape or "[" + ", ".join(map(str, x.array.shape)) + "]"
        return x.kind + shape

    def body(self, text):
        """A body of operations that follow: "name(%a: f32[]) { ... }"."""
        self.bodies.append("body " + text)

    def line(self, op, args, kind, attrs):
        words = ["%" + a for a in args] + [f"{k}={attr_text(v)}" for k, v in attrs.items()]
        self.lines.append(f"{op} {', '.join(words)}".strip() + f" : {kind}")

    def op(self, out, op, args, expected, shape=None, **attrs):
        """Appends `out = op args, attrs`, an output that must be `expected`."""
        e = self.expect[out] = tensor(expected)
        self.line(op, args, self.type(e, shape), attrs)
        self.outs.append((out, len(self.lines)))

    def pack(self, outs, op, args, **attrs):
        """Appends an operation with several results, a dictionary of outputs."""
        parts = {out: tensor(e) for out, e in outs.items()}
        size = sum((e.array.nbytes + 63) // 64 * 64 for e in parts.values())
        self.line(op, args, f"u8[{size}]", attrs)
        pack = str(len(self.lines))
        for i, (out, e) in enumerate(parts.items()):
            self.op(out, "part", [pack], e, **({"index": i} if i > 0 else {}))

    def graph(self):
        ins = ", ".join(f"%{n}: {t}" for n, t in self.types.items())
        lines = [f"graph {self.name}({ins}) {{"] + ["\t" + b for b in self.bodies]
        lines += [f"\t%{i + 1} = {text}" for i, text in enumerate(self.lines)]
        outs = ", ".join(f"{n}=%{i}" for n, i in self.outs)
        return "\n".join(lines + [f"\treturn {outs}", "}", ""])

    def write(self, folder, made_by="scripts/make_op_numbers.py"):
        tensors = {n: x.stored() for n, x in self.inputs.items()}
        tensors |= {"expect." + n: x.stored() for n, x in self.expect.items()}
        tensorfile.write(os.path.join(folder, self.name + ".safetensors"), tensors,
                         {"graph": self.graph(), "tolerance": self.tolerance,
                          "made_by": made_by})
