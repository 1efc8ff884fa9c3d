# SPDX-License-Identifier: Apache-2.0
"""Element-wise functions and conversions by JAX, for make_jax_numbers.py.

Every function in every type it takes, over pairs of corner cases. left_out() names what JAX
does otherwise than ir/ says.
"""
import zlib

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
from jax import lax

from ew_numbers import FUNCTION, convert_values, int_binary, int_unary
from jax_tensors import (COMPLEX, DTYPE, F8, FLOATS, FLUSHED, INTS, KINDS, Numbers, bits_of,
                         cut, every, given, letter, of, some, taken)
from opcase import Case, int_range, wrap

EDGES = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, -0.5, 1.5, -2.5, 3.0]
PLAIN = [0.1, -0.3, 0.785, -1.57, 2.0, -2.0, 5.0, -9.5, 20.0, 88.0, -100.0, 0.001, -1e-5, 3.75]
EXACT = {
    "B": {"and": lax.bitwise_and, "or": lax.bitwise_or, "xor": lax.bitwise_xor, "eq": lax.eq,
          "ne": lax.ne, "not": lax.bitwise_not},
    "I": {"add": lax.add, "sub": lax.sub, "mul": lax.mul, "div": lax.div, "rem": lax.rem,
          "max": lax.max, "min": lax.min, "and": lax.bitwise_and, "or": lax.bitwise_or,
          "xor": lax.bitwise_xor, "shl": lax.shift_left, "shr": lax.shift_right_arithmetic,
          "ushr": lax.shift_right_logical, "eq": lax.eq, "ne": lax.ne, "lt": lax.lt,
          "le": lax.le, "gt": lax.gt, "ge": lax.ge, "neg": lax.neg, "abs": jnp.abs,
          "sign": lax.sign, "not": lax.bitwise_not, "popcnt": lax.population_count,
          "clz": lax.clz, "relu": jax.nn.relu, "clamp": lax.clamp},
    "F": {"add": lax.add, "sub": lax.sub, "mul": lax.mul, "div": lax.div, "rem": lax.rem,
          "max": lax.max, "min": lax.min, "eq": lax.eq, "ne": lax.ne, "lt": lax.lt,
          "le": lax.le, "gt": lax.gt, "ge": lax.ge, "neg": lax.neg, "abs": lax.abs,
          "sign": lax.sign, "floor": lax.floor, "ceil": lax.ceil,
          "round": lambda x: lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN),
          "round_away": lambda x: lax.round(x, lax.RoundingMethod.AWAY_FROM_ZERO),
          "sqrt": lax.sqrt, "relu": jax.nn.relu, "is_finite": lax.is_finite,
          "clamp": lax.clamp}}
MATH = {"pow": lax.pow, "atan2": lax.atan2, "exp": lax.exp, "expm1": lax.expm1, "log": lax.log,
        "log1p": lax.log1p, "rsqrt": lax.rsqrt, "cbrt": lax.cbrt, "sin": lax.sin,
        "cos": lax.cos, "tan": lax.tan, "tanh": lax.tanh, "erf": lax.erf,
        "logistic": lax.logistic, "silu": jax.nn.silu,
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True)}
COMPOSED = ["silu", "gelu", "gelu_tanh"]
ARITY = {"clamp": 3} | dict.fromkeys(
    "pow atan2 add sub mul div rem max min and or xor shl shr ushr eq ne lt le gt ge".split(), 2)


def corners(kind):
    if kind == "bool":
        return [False, True]
    if kind in INTS and bits_of(kind) > 4:
        low, high = int_range(kind)
        bits = bits_of(kind)
        return sorted({0, 1, 2, 5, bits - 1, bits, low, low + 1, high, high - 1, high // 2 + 1,
                       max(low, -1), max(low, -2), max(low, -bits)})
    if bits_of(kind) <= 4:
        return list(every(kind).values())
    f = ml_dtypes.finfo(DTYPE[kind])
    most, tiny, least = (float(v) for v in (f.max, f.smallest_normal, f.smallest_subnormal))
    c = EDGES + [most, -most, tiny, -least, 2.0 ** (f.nmant - 1) + 0.5]
    if kind == "f8e8m0fnu":
        c = [x for x in c if not x <= 0]
    return c


def operands(rng, kind):
    """One, two and three operands: all pairs of corners, and others."""
    c = corners(kind)
    if kind in INTS:
        others = list(some(rng, kind, 12).values())
    else:
        others = [] if kind == "bool" else PLAIN
    one = of(c + others, kind) if bits_of(kind) != 8 or kind == "bool" else every(kind)
    pairs = [(x, y) for x in c for y in c]
    if others:
        pairs += zip(others, rng.permutation(np.array(others, object)))
    two = [of([p[i] for p in pairs], kind) for i in (0, 1)]
    few = c[:2] if kind == "bool" else [x for x in c if x == x][:6] + [np.nan] * (kind in FLOATS)
    three = [(x, y, z) for x in few for y in few for z in few]
    three = [of([t[i] for t in three], kind) for i in range(3)]
    return {1: [one], 2: two, 3: three}


def apply(f, function, args, kind):
    """JAX rounds narrow floats after each step of what it composes, and 8-bit floats by way of
    f16; those are taken in f32, and rounded once. It has few functions of the narrowest
    integers; the others are by Python's numbers."""
    narrow = kind in F8 + ["f4e2m1"]
    if (narrow and (f in MATH or f in ("sqrt", "relu"))) or (f in COMPOSED and "16" in kind):
        return cut(function(*(given(a).astype(np.float32) for a in args)), kind)
    if kind not in ("i2", "i4", "u2", "u4") or f in ("add", "sub", "mul"):
        return taken(function(*map(given, args)))
    values = zip(*(map(int, a.values()) for a in args))
    if f in ("eq", "ne", "lt", "le", "gt", "ge"):
        return taken(FUNCTION[f](*(a.values() for a in args)))
    if f == "clamp":
        y = [min(max(x, low), high) for low, x, high in values]
    else:
        y = [int_unary(f, *v, kind) if len(v) == 1 else int_binary(f, *v, kind) for v in values]
    return of([wrap(v, kind) for v in y], kind)


def left_out(f, kind, args, y):
    """Which elements JAX's CPU backend takes for something else than ir/ does: subnormals (see
    FLUSHED in jax_tensors.py), products and quotients that become subnormal, and relu(-0),
    which is 0 there and -0 here."""
    out = np.zeros(args[0].array.shape, bool)
    values = [a.values() for a in args]
    if f == "relu" and kind in FLOATS:
        out |= (values[0] == 0) & np.signbit(values[0])
    if kind not in FLUSHED:
        return out
    for v in values + [y.values()] * (y.kind == kind):
        out |= (v != 0) & (np.abs(v) < FLUSHED[kind])
    if f in COMPOSED and kind == "f8e8m0fnu":
        out |= values[0] == FLUSHED[kind]  # half of it is flushed
    if f in ("mul", "div", "atan2"):
        exact = FUNCTION[f](*(v.astype(np.longdouble) for v in values))
        out |= (exact != 0) & (np.abs(exact) < FLUSHED[kind])
    return out


def add_functions(case, rng, kind, functions):
    sets = operands(rng, kind)
    for f, function in functions.items():
        args = sets[ARITY.get(f, 1)]
        y = apply(f, function, args, kind)
        out = left_out(f, kind, args, y)
        names = [f"{'abc'[i]}{len(args)}" for i in range(len(args))]
        if out.any():
            names = [f"{n}_{f}" for n in names]
            args = [Numbers(a.array[~out]) for a in args]
            y = Numbers(y.array[~out])
        for n, a in zip(names, args):
            case.input(n, a)
        case.op(f, f, names, y)
    return case


def element_case(name, rng, kind):
    # f4e2m1 has no NaN but makes a zero of it, whose sign nobody says.
    tolerance = "ulp:0" if kind == "f4e2m1" else "exact"
    return add_functions(Case(name, tolerance), rng, kind, EXACT[letter(kind)])


def math_case(name, rng, kind):
    return add_functions(Case(name, TOLERANCE.get(kind, "ulp:1")), rng, kind, MATH)


def power_case(name, _, kind):
    """JAX knows integer powers for exponents that are known beforehand."""
    case = Case(name)
    c = corners(kind)
    x = of(c, kind)
    case.input("x", x)
    for e in (0, 1, 2, 3, 7) if bits_of(kind) > 4 else (0, 1):
        case.input(f"e{e}", of([e] * len(c), kind))
        case.op(f"pow_{e}", "pow", ["x", f"e{e}"], taken(lax.integer_pow(given(x), e)))
    return case


def convert_values_of(kind):
    if kind in COMPLEX:
        v = [x for x in convert_values("f64") if abs(x) < 3e38 or kind == "c128"]
        return of([complex(x, y) for x, y in zip(v, [0.0, -0.0, 1.0, np.nan] * len(v))], kind)
    if bits_of(kind) <= 8 and kind != "bool":
        return every(kind)
    return of(convert_values(kind), kind)


def convert_out(kind, target, x):
    """Which elements JAX converts otherwise: subnormals, as above, and so what is less than the
    least f8e8m0fnu; long integers, which become bf16 by way of f32; to integers, 6 in f4e2m1;
    to f4e2m1, NaN, which there is none of; to bool, i, whose real part alone counts there."""
    v = x.values()
    size = np.abs(v.real) if kind in COMPLEX else np.abs(v)
    out = (size > 0) & (size < FLUSHED[kind]) if kind in FLUSHED else np.zeros(v.shape, bool)
    if kind in COMPLEX:
        out |= (v.imag != 0) & (np.abs(v.imag) < FLUSHED[kind])
        out |= (v.real == 0) & (v.imag != 0) & (target == "bool")
    if target == "f8e8m0fnu":
        out |= (size > 0) & (size < 2.0 ** -126)
    if kind in ("i64", "u64") and target == "bf16":
        out |= size >= 2 ** 24
    if kind == "f4e2m1" and target in INTS:
        out |= size == 6
    if letter(kind) in "FC" and target == "f4e2m1":
        out |= np.isnan(size)
    return out


def convert_case(name, _, kind, targets=KINDS):
    case = Case(name)
    x = convert_values_of(kind)
    for target in targets:
        out, word = convert_out(kind, target, x), "x"
        if out.any():
            word = f"x_{zlib.crc32(out.tobytes()) % 1000}"
        if word not in case.inputs:
            case.input(word, Numbers(x.array[~out]))
        y = lax.convert_element_type(given(case.inputs[word]), DTYPE[target])
        case.op(target, "convert", [word], taken(y))
    return case


def to_complex_case(name, _, kind):
    return convert_case(name, _, kind, COMPLEX)


# JAX's own errors reach these: it computes functions by functions of its own.
TOLERANCE = {"f64": "rel:1e-12 abs:1e-14", "f32": "rel:4e-6 abs:1e-6", "f16": "rel:2e-3 abs:1e-6",
             "bf16": "rel:1.6e-2 abs:1e-6"}
PARTS = [("elements", element_case, KINDS), ("math", math_case, FLOATS),
         ("pow", power_case, INTS), ("convert", convert_case, KINDS + COMPLEX),
         ("complex", to_complex_case, KINDS + COMPLEX)]
