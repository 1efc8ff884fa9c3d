#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/dtypes.txt: digests of conversions between all pairs of element types.

Needs PyPI's numpy 2.2.6, ml_dtypes 0.5.3, xxhash 3.5.0 (`pip install numpy==2.2.6
ml_dtypes==0.5.3 xxhash==3.5.0`). The same bytes come out each time. A row is: from, to, XXH3
of the results, little-endian, one byte for an element of less than 8 bits, any NaN as the
positive quiet one. Types of up to 16 bits: all their values, in the order of their codes.
Wider ones: WIDE values of wide_bits(), which tests/dtype_test.c makes too.

Conversions to narrow floats are a search for the nearest value of a table, in exact
fractions; for types of up to 16 bits that is checked against ml_dtypes' own conversion.
"""
import bisect
import math
import os
from fractions import Fraction

import ml_dtypes
import numpy as np
import xxhash

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "data", "dtypes.txt")
WIDE = 3000
MASK = (1 << 64) - 1

# name: bits, NumPy's type
INTS = {"bool": (8, np.bool_), "i2": (2, None), "i4": (4, None), "i8": (8, np.int8),
        "i16": (16, np.int16), "i32": (32, np.int32), "i64": (64, np.int64), "u2": (2, None),
        "u4": (4, None), "u8": (8, np.uint8), "u16": (16, np.uint16), "u32": (32, np.uint32),
        "u64": (64, np.uint64)}
FLOATS = {"f4e2m1": (4, ml_dtypes.float4_e2m1fn), "f8e3m4": (8, ml_dtypes.float8_e3m4),
          "f8e4m3": (8, ml_dtypes.float8_e4m3), "f8e4m3fn": (8, ml_dtypes.float8_e4m3fn),
          "f8e4m3fnuz": (8, ml_dtypes.float8_e4m3fnuz),
          "f8e4m3b11fnuz": (8, ml_dtypes.float8_e4m3b11fnuz),
          "f8e5m2": (8, ml_dtypes.float8_e5m2), "f8e5m2fnuz": (8, ml_dtypes.float8_e5m2fnuz),
          "f8e8m0fnu": (8, ml_dtypes.float8_e8m0fnu), "f16": (16, np.float16),
          "bf16": (16, ml_dtypes.bfloat16), "f32": (32, np.float32), "f64": (64, np.float64)}
COMPLEX = {"c64": "f32", "c128": "f64"}
BITS = {**{k: v[0] for k, v in {**INTS, **FLOATS}.items()}, "c64": 64, "c128": 128}


def mix(state):
    """SplitMix64: the next state, and a number."""
    state = (state + 0x9e3779b97f4a7c15) & MASK
    z = state
    z = ((z ^ z >> 30) * 0xbf58476d1ce4e5b9) & MASK
    z = ((z ^ z >> 27) * 0x94d049bb133111eb) & MASK
    return state, z ^ z >> 31


def wide_bits(name, n):
    """Codes of a type of 32 or 64 bits: any, and such as lie near or on a tie."""
    bits = BITS[name]
    mbits = {"f32": 23, "f64": 52}.get(name, 0)
    state, out = 1, []
    for i in range(n):
        state, r = mix(state)
        state, s = mix(state)
        v = r & ((1 << bits) - 1)
        if mbits and i % 4:  # near 1, few bits set, perhaps one more or less
            bias = (1 << (bits - 2 - mbits)) - 1
            m = r & ((1 << mbits) - 1) & ~((1 << (s % mbits)) - 1)
            e = bias - 36 + (s >> 8) % 72 if i % 4 != 3 else bias - 140 + (s >> 8) % 270
            v = (r >> 63) << (bits - 1) | (e << mbits | m)
            v += (s >> 32) % 3 - 1
        elif not mbits and i % 4:
            v = r >> (64 - bits) >> (s % bits)
            v &= ~((1 << ((s >> 8) % bits)) - 1)
            v = (v + (s >> 32) % 3 - 1) * (1 if s >> 63 else -1)
        out.append(v & ((1 << bits) - 1))
    return out


def codes(name):
    if name in COMPLEX:
        return list(zip(wide_bits(COMPLEX[name], 2 * WIDE)[::2],
                        wide_bits(COMPLEX[name], 2 * WIDE)[1::2]))
    if name == "bool":
        return [0, 1]
    return list(range(1 << BITS[name])) if BITS[name] <= 16 else wide_bits(name, WIDE)


def array(name, code):
    """Codes as an array of NumPy's type."""
    bits, kind = FLOATS[name]
    return np.array(code, {32: np.uint32, 64: np.uint64, 16: np.uint16}.get(bits, np.uint8)).view(kind)


def to_int(name, code):
    bits = BITS[name]
    return code - (1 << bits) if name[0] == "i" and code >> (bits - 1) else code


def values(name, code):
    """(kind, sign, exact value): the numbers that codes stand for."""
    if name in INTS:
        return [("number", to_int(name, c) < 0, Fraction(to_int(name, c))) for c in code]
    out = []
    for v in array(name, code).astype(np.float64).tolist():
        if math.isnan(v):
            out.append(("nan", math.copysign(1, v) < 0, None))
        elif math.isinf(v):
            out.append(("inf", v < 0, None))
        else:
            out.append(("number", math.copysign(1, v) < 0, Fraction(v)))
    return out


class Narrow:
    """A float type as the sorted list of its numbers from zero up, and of their codes."""

    def __init__(self, name):
        self.name = name
        one = np.array([np.nan, np.inf, -np.inf, -0.0, 1e300, -1e300]).astype(FLOATS[name][1])
        view = one.view(np.uint16 if BITS[name] == 16 else np.uint8)
        self.nan, self.inf, self.minus_inf, self.minus_zero, self.over, self.under = map(int, view)
        half = 1 << (BITS[name] if name == "f8e8m0fnu" else BITS[name] - 1)
        rows = zip(values(name, range(half)), range(half))
        rows = sorted((v[2], c) for v, c in rows if v[0] == "number")
        self.number = [r[0] for r in rows]
        self.code = [r[1] for r in rows]
        step = self.number[-1] - self.number[-2]
        # In f8e8m0fnu the significand, which is 1, counts as odd: a tie goes up.
        self.next = self.number[-1] + (step if name != "f8e8m0fnu" else self.number[-1])

    def find(self, kind, negative, v):
        minus = 1 << (BITS[self.name] - 1)
        if kind == "nan":
            return self.nan ^ minus if self.name == "f4e2m1" and negative else self.nan
        if kind == "inf":
            return self.minus_inf if negative else self.inf
        if self.name == "f8e8m0fnu":
            if negative or v == 0:
                return self.nan
            if v < self.number[0]:
                return self.code[0]
        elif v == 0:
            return self.minus_zero if negative else 0
        size = abs(v)
        k = bisect.bisect_right(self.number, size) - 1
        low, code = self.number[k], self.code[k]
        high = self.number[k + 1] if k + 1 < len(self.number) else self.next
        up = size - low > high - size
        if size - low == high - size:
            up = code % 2 == 1 or self.name == "f8e8m0fnu"
        if up and k + 1 == len(self.number):
            return self.under if negative else self.over
        code = self.code[k + up]
        if code == 0 and negative:
            return self.minus_zero
        return code | minus if negative else code


narrow = {}


def convert_real(to, kind, negative, v):
    """The code that a real number becomes."""
    if to == "bool":
        return int(kind != "number" or v != 0)
    if to in INTS:
        bits = BITS[to]
        least, most = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if to[0] == "i" else (0, (1 << bits) - 1)
        if kind == "nan":
            return 0
        n = (least if negative else most) if kind == "inf" else max(least, min(most, math.trunc(v)))
        return n & ((1 << bits) - 1)
    if to in ("f32", "f64"):
        if kind == "nan":
            f = np.nan
        elif kind == "inf" or abs(v) >= Fraction(2) ** 1024:
            f = -np.inf if negative else np.inf
        else:
            f = exact_float(v, 24, -149, 128) if to == "f32" else exact_float(v, 53, -1074, 1024)
            f = -0.0 if f == 0 and negative else f
        return int(np.array([f]).astype(FLOATS[to][1]).view(np.uint32 if to == "f32" else np.uint64)[0])
    if to not in narrow:
        narrow[to] = Narrow(to)
    return narrow[to].find(kind, negative, v)


def exact_float(v, digits, low, top):
    """A fraction as the nearest number of so many digits, ties to even."""
    if v == 0:
        return 0.0
    e = max(low, math.floor(math.log2(abs(v))) - digits + 1)
    for e in (e - 1, e, e + 1):
        if e >= low and abs(v) / Fraction(2) ** e < 1 << digits:
            n = round(v / Fraction(2) ** e)
            return math.ldexp(n, e) if abs(n) * Fraction(2) ** e < Fraction(2) ** top else math.copysign(math.inf, v)
    raise ValueError(v)


def convert(to, name, code, v):
    """The code that one becomes whose value is v; of complex types both are pairs."""
    if name in COMPLEX:
        if to == "bool":
            return int(any(p[0] != "number" or p[2] != 0 for p in v))
        if to in COMPLEX:
            return tuple(convert_real(COMPLEX[to], *p) for p in v)
        return convert_real(to, *v[0])
    if to in COMPLEX:
        return convert_real(COMPLEX[to], *v), 0
    if name in INTS and to in INTS and to != "bool":
        return to_int(name, code) & ((1 << BITS[to]) - 1)
    return convert_real(to, *v)


def digest(to, out):
    if to in COMPLEX:
        out = [c for pair in out for c in pair]
    to = COMPLEX.get(to, to)
    bits = BITS[to]
    a = np.array(out, {16: np.uint16, 32: np.uint32, 64: np.uint64}.get(bits, np.uint8))
    if to in FLOATS:
        kind = FLOATS[to][1]
        v = a.view(kind)
        a = np.where(np.isnan(v.astype(np.float64)), np.array([np.nan]).astype(kind).view(a.dtype), a)
    return xxhash.xxh3_64_hexdigest(a.astype(a.dtype.newbyteorder("<")).tobytes())


def check(to, name, all_values, out):
    """Against ml_dtypes and NumPy, which round once where the source is narrow."""
    v = np.array([float(p[2]) if p[0] == "number" else 0 for p in all_values])
    if name in FLOATS:
        v = array(name, codes(name)).astype(np.float64)
    kind = FLOATS[to][1]
    want = v.astype(kind)
    got = array(to, out)
    same = (want.view(np.uint8).reshape(len(out), -1) == got.view(np.uint8).reshape(len(out), -1)).all(1)
    same |= np.isnan(want.astype(np.float64)) & np.isnan(got.astype(np.float64))
    if to == "f8e8m0fnu":  # ml_dtypes rounds all up there, near or not
        same |= (v > 2.0 ** -127) & (v < 2.0 ** -126)
    assert same.all(), (name, to, v[~same][:5], want[~same][:5], got[~same][:5])


def main():
    rows = []
    names = list(INTS) + list(FLOATS) + list(COMPLEX)
    for name in names:
        code = codes(name)
        if name in COMPLEX:
            v = list(zip(*(values(COMPLEX[name], [c[k] for c in code]) for k in (0, 1))))
        else:
            v = values(name, code)
        for to in names:
            out = [convert(to, name, c, x) for c, x in zip(code, v)]
            if BITS[name] <= 16 and to in FLOATS:
                check(to, name, v, out)
            rows.append(f"{name} {to} {digest(to, out)}\n")
    with open(OUT, "w", encoding="ascii") as f:
        f.writelines(rows)
    print(len(rows), "pairs of types")


main()
