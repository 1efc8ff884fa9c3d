# SPDX-License-Identifier: Apache-2.0
"""Cases of the element-wise functions and of convert, for make_op_numbers.py.

Written from what the functions are said to do, not from their formulas. Floats: computed
in the next wider type (long double for f64) and rounded; narrow ones in f32 first, as
their kernels do. Integers and conversions: whole numbers and fractions.
"""
from fractions import Fraction

import numpy as np
from scipy.special import erf, erfcinv, erfinv

from opcase import FLOATS, INTS, NUMPY, Case, Tensor, bits_float, float_bits, int_range, wrap

UNARY = ["floor", "ceil", "round", "round_away", "neg", "abs", "sign", "sqrt", "is_finite"]
BINARY = ["add", "sub", "mul", "div", "rem", "max", "min", "eq", "ne", "lt", "le", "gt", "ge"]
MATH = ["exp", "expm1", "log", "log1p", "rsqrt", "cbrt", "sin", "cos", "tan", "tanh", "erf", "relu", "erf_inv"]
MATH2 = ["pow", "atan2"]
# 1 + what tends to -1, or 1 / (1 + what overflows): errors near 0 are absolute.
COMPOSED = ["logistic", "silu", "gelu", "gelu_tanh"]
TOLERANCE = {  # of MATH and of COMPOSED
    "f64": ("ulp:4", "rel:1e-14 abs:1e-14"), "f32": ("ulp:3", "rel:2e-6 abs:1e-6"),
    "f16": ("ulp:1", "rel:1e-3 abs:1e-6"), "bf16": ("ulp:1", "rel:8e-3 abs:1e-6")}

EDGES = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3.0, -4.0]
SPECIAL = {  # least and largest subnormal, least and largest normal, and around them
    "f64": [5e-324, -1e-310, 2.2250738585072014e-308, 1.7976931348623157e308, -1e300,
            0.49999999999999994, 4503599627370497.5, 709.7, -745.0],
    "f32": [1e-45, -1e-40, 1.1754944e-38, 3.4028235e38, -1e30, 0.49999997, 8388609.0, 88.7, -103.0],
    "f16": [6e-8, -5e-5, 6.104e-5, 65504.0, -4096.0, 0.49976, 1025.0, 11.0, -17.0],
    "bf16": [9.2e-41, -1e-39, 1.1754944e-38, 3.3895314e38, -1e30, 0.498, 129.0, 88.5, -103.0]}
PLAIN = [1e-3, -1e-3, 1e-5, -1e-5, 0.7853981633974483, 1.5707963267948966, 3.141592653589793, -0.1,
         0.3, 2.0, -2.0, 5.0, -5.0, 9.5, -9.5, 20.0, -20.0, 100.0, -100.0, 1000.0, -1000.0,
         12345.678]


def sign(x):
    return np.where(x > 0, 1, np.where(x < 0, -1, x)).astype(x.dtype)


def round_away(x):
    whole = np.floor(abs(x))
    return np.copysign(whole + (abs(x) - whole >= 0.5), x)


def larger(a, b):
    """NaN wins, and +0 over -0."""
    y = np.where((a > b) | ((a == b) & ~np.signbit(a)), a, b)
    return np.where(np.isnan(a), a, np.where(np.isnan(b), b, y))


def inverse_erf(x):
    """By the complement near one, where that is what has digits."""
    far = np.copysign(erfcinv(1 - abs(x)), x)
    return np.where(abs(x) > 0.5, far, erfinv(x))


FUNCTION = {
    "floor": np.floor, "ceil": np.ceil, "round": np.rint, "round_away": round_away,
    "neg": np.negative, "abs": np.abs, "sign": sign, "sqrt": np.sqrt, "is_finite": np.isfinite,
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "rem": np.fmod,
    "max": larger, "min": lambda a, b: -larger(-a, -b),
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal,
    "gt": np.greater, "ge": np.greater_equal,
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "cbrt": np.cbrt,
    "rsqrt": lambda x: 1 / np.sqrt(x), "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "tanh": np.tanh, "erf": lambda x: erf(x.astype(np.float64)).astype(x.dtype),
    "erf_inv": lambda x: inverse_erf(x.astype(np.float64)).astype(x.dtype),
    "relu": lambda x: np.where(x <= 0, 0, x), "pow": np.power, "atan2": np.arctan2,
    "logistic": lambda x: 1 / (1 + np.exp(-x)), "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: x / 2 * (1 + erf((x / np.sqrt(x.dtype.type(2))).astype(np.float64))),
    "gelu_tanh": lambda x: x / 2 * (1 + np.tanh(
        np.sqrt(2 / np.arctan(x.dtype.type(1)) / 4) * (x + x.dtype.type(0.044715) * x ** 3))),
}


def to(kind, x):
    """An array as `kind`, through f32 for narrower types."""
    if x.dtype == bool:
        return Tensor(x)
    if kind == "bf16":
        return Tensor.of(np.array(x.astype(np.float32).astype(float), object), kind)
    return Tensor((x.astype(np.float32) if kind == "f16" else x).astype(NUMPY[kind]))


def wide(x, exact):
    """What to compute in: the type itself for exact functions, else the next wider."""
    if x.kind == "f64":
        return x.array if exact else x.array.astype(np.longdouble)
    values = np.array(x.values())
    return values.astype(np.float32) if exact else values


def float_inputs(kind, rng):
    edges = EDGES + SPECIAL[kind]
    u = edges + PLAIN + list(rng.normal(0, 2, 14)) + list(np.exp(rng.normal(0, 6, 10)))
    few = EDGES[:7] + [0.5, -2.5, 3.0] + SPECIAL[kind][:1] + SPECIAL[kind][3:4]
    a = [x for x in few for _ in few] + list(rng.normal(0, 2, 14))
    a += list(np.exp(rng.normal(0, 2, 12)))
    b = [y for _ in few for y in few] + list(rng.normal(0, 2, 26))
    return [Tensor.of(np.array(v, object), kind) for v in (u, a, b)]


def float_cases(kind, rng):
    u, a, b = float_inputs(kind, rng)
    exact = Case(f"ew_{kind}_exact")
    math = Case(f"ew_{kind}_math", TOLERANCE[kind][0])
    composed = Case(f"ew_{kind}_composed", TOLERANCE[kind][1])
    for case, ones, twos in ((exact, UNARY, BINARY), (math, MATH, MATH2), (composed, COMPOSED, [])):
        case.input("u", u)
        if twos:
            case.input("a", a)
            case.input("b", b)
        w = case is exact
        for f in ones:
            case.op(f, f, ["u"], to(kind, FUNCTION[f](wide(u, w))))
        for f in twos:
            case.op(f, f, ["a", "b"], to(kind, FUNCTION[f](wide(a, w), wide(b, w))))
    return [exact, math, composed]


def clamp_case():
    """Low above high is left out: nothing is said of it."""
    case = Case("ew_clamp")
    for kind in ("f32", "f64", "f16", "bf16"):
        n = np.nan
        low = [-1.0, -1, -1, 2, -np.inf, n, -1, 0.5, n, 0.25]
        x = [-3.0, 0.5, 7, 2, np.inf, 1, n, 0.25, n, -np.inf]
        high = [1.0, 1, 1, 2, 9, 2, 1, n, n, np.inf]
        y = [l if v < l else h if v > h else v for l, v, h in zip(low, x, high)]
        y = [n if np.isnan([l, v, h]).any() else r for l, v, h, r in zip(low, x, high, y)]
        for name, v in (("low", low), ("x", x), ("high", high)):
            case.input(f"{name}_{kind}", Tensor.of(v, kind))
        case.op(kind, "clamp", [f"{w}_{kind}" for w in ("low", "x", "high")], Tensor.of(y, kind))
    return case


def raw(bits, kind):
    """Elements by their bits, NaNs as they are."""
    t = Tensor.of(np.zeros(len(bits)), kind)
    t.array = np.array(bits, FLOATS[kind][3]).view(t.array.dtype)
    return t


def total_case():
    """All pairs of some bits. NaNs of one sign are one."""
    case = Case("ew_total")
    for kind in ("f32", "f64", "f16", "bf16", "f8e5m2"):
        ebits, mbits, _, _ = FLOATS[kind]
        inf, quiet = (2 ** ebits - 1) << mbits, 1 << (mbits - 1)
        half = [0, 1, 1 << mbits, (2 ** (ebits - 1) - 1) << mbits, inf - 1, inf, inf + 1,
                inf + quiet, inf + quiet * 2 - 1]
        top = 1 << (ebits + mbits)
        bits = half + [top + u for u in half]
        order = {u: (-1 if u >= top else 1) * (2 * min(u % top, inf + 1) + 1) for u in bits}
        a, b = ([u for u in bits for _ in bits], [u for _ in bits for u in bits])
        case.input(f"a_{kind}", raw(a, kind))
        case.input(f"b_{kind}", raw(b, kind))
        for f, is_in in (("total_lt", lambda x, y: x < y), ("total_le", lambda x, y: x <= y)):
            y = np.array([is_in(order[x], order[z]) for x, z in zip(a, b)])
            case.op(f"{f}_{kind}", f, [f"a_{kind}", f"b_{kind}"], y)
        v = [(bits_float(x, kind), bits_float(z, kind)) for x, z in zip(a, b)]
        y = np.array([x < z or (x == x and z != z) for x, z in v])
        case.op(f"before_{kind}", "before", [f"a_{kind}", f"b_{kind}"], y)
    return case


def reduce_precision(v, ebits, mbits):
    """To the nearest float of that size in whole numbers; a negative size has subnormals."""
    if v == 0 or not np.isfinite(v):
        return v
    low, f = 2 - 2 ** (abs(ebits) - 1), abs(Fraction(v))
    e = f.numerator.bit_length() - f.denominator.bit_length()
    e -= Fraction(2) ** e > f
    unit = Fraction(2) ** ((max(e, low) if ebits < 0 else e) - mbits)
    f = round(f / unit) * unit
    y = np.inf if f >= Fraction(2) ** (2 ** (abs(ebits) - 1)) else float(f)
    return float(np.copysign(0 if ebits > 0 and y < 2.0 ** low else y, v))


def reduce_precision_case():
    case, rng = Case("ew_reduce_precision"), np.random.RandomState(20)
    for kind in ("f32", "f64", "f16", "bf16"):
        ebits, mbits, _, _ = FLOATS[kind]
        v = EDGES + SPECIAL[kind] + PLAIN + list(np.exp(rng.normal(0, 6, 20)))
        v += [1 + 2.0 ** -k for k in range(1, 9)] + [1 + 3 * 2.0 ** -k for k in range(2, 9)]
        v += [2.0 ** -14 * k / 16 for k in (1, 3, 7, 15, 15.75, 16)] + [65519.0, 65520.0, 1e-5]
        x = Tensor.of(np.array(v, object), kind)
        case.input(f"x_{kind}", x)
        sizes = [(5, 10), (8, 7), (4, 3), (5, 2), (-5, 2), (-4, 3), (2, 1), (1, 0), (3, 0)]
        sizes = [(e, m) for e, m in sizes if abs(e) < ebits] + [(-ebits, m) for m in sorted({0, 2, 7, mbits})]
        for e, m in sizes:
            name = f"{kind}_{'g' if e < 0 else ''}{abs(e)}_{m}"
            for word, n in (("e", e), ("m", m)):
                case.input(f"{word}_{name}", Tensor.of([n] * len(v), kind))
            y = [reduce_precision(u, e, m) for u in x.values()]
            case.op(name, "reduce_precision", [f"x_{kind}", f"e_{name}", f"m_{name}"],
                    Tensor.of(np.array(y, object), kind))
    return case


def int_quotient(a, b, high):
    """Cut towards zero; all ones of a division by zero."""
    if b == 0:
        return -1
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def int_power(a, b, kind):
    if b >= 0:
        return pow(a, b, 2 ** int(kind[1:]))
    # One over the power, an integer quotient.
    return int_quotient(1, {0: 0, 1: 1, -1: -1 if b % 2 else 1}.get(a, 2), None)


def int_shift(f, a, b, kind):
    bits = int(kind[1:])
    ones = a % 2 ** bits
    far = not 0 <= b < bits
    if f == "shl":
        return 0 if far else ones << b
    if f == "ushr":
        return 0 if far else ones >> b
    negative = ones >> (bits - 1)
    return (ones - (negative << bits)) >> (bits if far else b)


def int_binary(f, a, b, kind):
    if f in ("shl", "shr", "ushr"):
        return int_shift(f, a, b, kind)
    if f == "pow":
        return int_power(a, b, kind)
    if f == "div":
        return int_quotient(a, b, kind)
    if f == "rem":
        return a if b == 0 else a - b * int_quotient(a, b, kind)
    return {"add": a + b, "sub": a - b, "mul": a * b, "max": max(a, b), "min": min(a, b),
            "and": a & b, "or": a | b, "xor": a ^ b}[f]


def int_unary(f, a, kind):
    bits = int(kind[1:])
    ones = a % 2 ** bits
    return {"neg": -a, "abs": abs(a), "sign": (a > 0) - (a < 0), "not": ~a, "relu": max(a, 0),
            "popcnt": bin(ones).count("1"), "clz": bits - ones.bit_length()}[f]


def int_case(kind, rng):
    low, high = int_range(kind)
    bits = int(kind[1:])
    edges = sorted({0, 1, 2, 3, 7, bits - 1, bits, high, high - 1, low, high // 2 + 1,
                    max(low, -1), max(low, -2), max(low, -7)})
    few = [v for v in edges if v not in (1, 7, bits - 1, high - 1, -2)]
    a = [x for x in few for _ in few]
    a += [wrap(int(v), kind) for v in rng.randint(-2 ** 62, 2 ** 62, 16)]
    b = [y for _ in few for y in few] + [wrap(int(v), kind) for v in rng.randint(-20, 20, 16)]
    u = edges + a[-16:]
    case = Case(f"ew_{kind}")
    for name, v in (("u", u), ("a", a), ("b", b)):
        case.input(name, Tensor.of(v, kind))
    for f in ("neg", "abs", "sign", "not", "relu", "popcnt", "clz"):
        case.op(f, f, ["u"], Tensor.of([wrap(int_unary(f, x, kind), kind) for x in u], kind))
    for f in ("add", "sub", "mul", "div", "rem", "pow", "max", "min", "and", "or", "xor",
              "shl", "shr", "ushr"):
        y = [wrap(int_binary(f, x, z, kind), kind) for x, z in zip(a, b)]
        case.op(f, f, ["a", "b"], Tensor.of(y, kind))
    for f in ("eq", "ne", "lt", "le", "gt", "ge"):
        y = FUNCTION[f](np.array(a, object), np.array(b, object))
        case.op(f, f, ["a", "b"], y.astype(bool))
    small = [v for v in edges if low < v < high][:6]
    x = [low, high] + [v for v in small for _ in (0, 1)]
    lows, highs = [min(small)] * len(x), [max(small)] * len(x)
    for name, v in (("x", x), ("low", lows), ("high", highs)):
        case.input(name, Tensor.of(v, kind))
    y = [min(max(v, l), h) for l, v, h in zip(lows, x, highs)]
    case.op("clamp", "clamp", ["low", "x", "high"], Tensor.of(y, kind))
    return case


def bool_case():
    a, b = np.array([False, False, True, True]), np.array([False, True, False, True])
    case = Case("ew_bool")
    case.input("a", a)
    case.input("b", b)
    for f, y in (("and", a & b), ("or", a | b), ("xor", a ^ b), ("eq", a == b), ("ne", a != b)):
        case.op(f, f, ["a", "b"], y)
    case.op("not", "not", ["a"], ~a)
    return case


def select_case(rng):
    case = Case("select")
    case.input("c", rng.rand(3, 5) < 0.5)
    for kind in ("f32", "f64", "f16", "i8", "bool"):
        x = [Tensor.of(rng.randint(0, 2 if kind == "bool" else 100, (3, 5)).tolist(), kind)
             for _ in "ab"]
        case.input(f"a_{kind}", x[0])
        case.input(f"b_{kind}", x[1])
        y = np.where(case.inputs["c"].array, x[0].array, x[1].array)
        case.op(kind, "select", ["c", f"a_{kind}", f"b_{kind}"], Tensor(y, kind))
    return case


def convert_values(kind):
    if kind == "bool":
        return [False, True]
    if kind in INTS:
        low, high = int_range(kind)
        v = {0, 1, 2, 17, 18, 100, 127, 128, 255, 256, 449, 464, 465, 2049, 2051, 65504, 65519,
             65520, 2 ** 24 + 1, 2 ** 24 + 3, 2 ** 25 + 2, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1,
             2 ** 53 + 1, 2 ** 63 - 1, 2 ** 63, 2 ** 63 + 2 ** 39 + 1, low, high, -1, -17, -129,
             -2 ** 31 - 1, 2 ** 40 + 2 ** 32 + 1, 2 ** 60 + 2 ** 36 + 1}
        return sorted(x for x in v if low <= x <= high)
    big = [2.0 ** 31, -2.0 ** 31, 2.0 ** 31 - 1, 2.0 ** 32, 2.0 ** 63, -2.0 ** 63, 2.0 ** 64, 1e19,
           -1e20, 1e30, 3.4e38, 1e300, -1e300]
    return EDGES + big + SPECIAL.get(kind, []) + [
        0.999, -0.999, 126.6, 127.5, -128.9, 200.0, 255.9, 300.0, -129.5, 448.0, 464.0, 464.1,
        480.0, 57344.0, 61439.0, 61440.0, 65519.9, 65520.0, 0.0009765625, 0.0014648,
        0.001953125, 7.6e-6, 1.5e-5, 5.9e-8, 2.99e-8, 2049.0, 2051.0, 16777217.0, 1.00390625,
        1.01171875, 3.3895314e38]


def convert_one(v, kind):
    if kind == "bool":
        return v != 0
    if kind in FLOATS:
        return v
    low, high = int_range(kind)
    if isinstance(v, float):
        if np.isnan(v):
            return 0
        v = int(v) if np.isfinite(v) else (high if v > 0 else low)
        return min(max(v, low), high)
    return wrap(int(v), kind)


def convert_case(kind):
    case = Case(f"convert_{kind}")
    x = Tensor.of(convert_values(kind), kind)
    case.input("x", x)
    for target in ["bool"] + INTS + list(FLOATS):
        y = Tensor.of([convert_one(v, target) for v in x.values()], target)
        case.op(target, "convert", ["x"], y)
        if kind in NUMPY and kind in FLOATS and target in NUMPY and target in FLOATS:
            same = x.array.astype(NUMPY[target])
            assert np.array_equal(same, y.array, equal_nan=True), (kind, target)
    return case


def cases(rng):
    with np.errstate(all="ignore"):
        out = [c for kind in ("f32", "f64", "f16", "bf16") for c in float_cases(kind, rng)]
        out += [clamp_case(), total_case(), reduce_precision_case(), bool_case(), select_case(rng)]
        out += [int_case(kind, rng) for kind in ("i8", "i32", "i64", "u8", "u64")]
        out += [convert_case(kind) for kind in ["bool"] + INTS + list(FLOATS)]
    return out
