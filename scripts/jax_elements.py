# SPDX-License-Identifier: Apache-2.0
"""Element-wise functions and conversions by JAX, for make_jax_numbers.py.

Every function in every type it takes, over pairs of corner cases. left_out() names what JAX
does otherwise than ir/ says.
"""
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jax_tensors import FLUSHED, KINDS, given, letter, of, some, taken
from ew_numbers import convert_values
from opcase import FLOATS, INTS, Case, Tensor, int_range

N = np.nan
EDGES = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, N, 0.5, -0.5, 1.5, -2.5, 3.0]
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
    if kind in INTS:
        low, high = int_range(kind)
        bits = int(kind[1:])
        return sorted({0, 1, 2, 5, bits - 1, bits, low, low + 1, high, high - 1, high // 2 + 1,
                       max(low, -1), max(low, -2), max(low, -bits)})
    e, m, finite, _ = FLOATS[kind]
    bias = 2 ** (e - 1) - 1
    most = (2 - 2.0 ** -m * (1 + finite)) * 2.0 ** (bias + finite)
    return EDGES + [most, -most, 2.0 ** (1 - bias), -2.0 ** (1 - bias - m), 2.0 ** (m - 1) + 0.5]


def operands(rng, kind):
    """One, two and three operands: all pairs of corners, and others."""
    c = corners(kind)
    if kind in INTS:
        others = [int(v) for v in some(rng, kind, 12).array]
    else:
        others = [] if kind == "bool" else PLAIN
    one = of(np.array(c + others, object), kind)
    pairs = [(x, y) for x in c for y in c]
    if others:
        pairs += zip(others, rng.permutation(np.array(others, object)))
    two = [of(np.array([p[i] for p in pairs], object), kind) for i in (0, 1)]
    few = c[:2] if kind == "bool" else [x for x in c if x == x][:6] + [N] * (kind in FLOATS)
    three = [(x, y, z) for x in few for y in few for z in few]
    three = [of(np.array([t[i] for t in three], object), kind) for i in range(3)]
    return {1: [one], 2: two, 3: three}


def apply(f, function, args, kind):
    """JAX rounds narrow floats after each step of what it composes, and has no such functions
    of 8-bit floats; both are taken in f32, and rounded once."""
    args = [given(a) for a in args]
    if kind in FLOATS and f in MATH and (kind[:2] == "f8" or (f in COMPOSED and kind[-2:] == "16")):
        return lax.convert_element_type(function(*(a.astype(np.float32) for a in args)),
                                        args[0].dtype)
    return function(*args)


def left_out(f, kind, args, y):
    """Which elements JAX's CPU backend takes for something else than ir/ does: subnormals (see
    FLUSHED in jax_tensors.py), products and quotients that become subnormal, and relu(-0),
    which is 0 there and -0 here."""
    out = np.zeros(args[0].array.shape, bool)
    values = [np.array(a.values()) for a in args]
    if f == "relu" and kind in FLOATS:
        out |= (values[0] == 0) & np.signbit(values[0])
    if kind not in FLUSHED:
        return out
    for v in values + [np.array(y.values())] * (y.kind == kind):
        out |= (v != 0) & (np.abs(v) < FLUSHED[kind])
    if f in ("mul", "div"):
        out |= (np.array(y.values()) == 0) & (values[0] != 0) & np.isfinite(values[1]) & (
            (values[1] != 0) | (f == "div"))
    return out


def add_functions(case, rng, kind, functions):
    sets = operands(rng, kind)
    for f, function in functions.items():
        args = sets[ARITY.get(f, 1)]
        y = taken(apply(f, function, args, kind))
        out = left_out(f, kind, args, y)
        names = [f"{'abc'[i]}{len(args)}" for i in range(len(args))]
        if out.any():
            names = [f"{n}_{f}" for n in names]
            args = [Tensor(a.array[~out], kind) for a in args]
            y = Tensor(y.array[~out], y.kind)
        for n, a in zip(names, args):
            case.input(n, a)
        case.op(f, f, names, y)
    return case


def element_case(name, rng, kind):
    return add_functions(Case(name), rng, kind, EXACT[letter(kind)])


def math_case(name, rng, kind):
    return add_functions(Case(name, TOLERANCE.get(kind, "ulp:1")), rng, kind, MATH)


def power_case(name, _, kind):
    """JAX knows integer powers for exponents that are known beforehand."""
    case = Case(name)
    c = corners(kind)
    x = of(np.array(c, object), kind)
    case.input("x", x)
    for e in (0, 1, 2, 3, 7):
        case.input(f"e{e}", of([e] * len(c), kind))
        case.op(f"pow_{e}", "pow", ["x", f"e{e}"], taken(lax.integer_pow(given(x), e)))
    return case


def convert_case(name, _, kind):
    """Left out: subnormals, as above; to bf16, long integers that JAX rounds twice."""
    case = Case(name)
    x = of(np.array(convert_values(kind), object), kind)
    v = np.abs(np.array(x.values(), object))
    if kind in FLUSHED:
        x = Tensor(x.array[~((v > 0) & (v < FLUSHED[kind]))], kind)
    case.input("x", x)
    if kind in ("i64", "u64"):
        case.input("few", Tensor(x.array[v < 2 ** 24], kind))
    for target in KINDS:
        word = "few" if "few" in case.inputs and target == "bf16" else "x"
        y = lax.convert_element_type(given(case.inputs[word]), given(of(0, target)).dtype)
        case.op(target, "convert", [word], taken(y))
    return case


# JAX's own errors reach these: it computes functions by functions of its own.
TOLERANCE = {"f64": "rel:1e-12 abs:1e-14", "f32": "rel:4e-6 abs:1e-6", "f16": "rel:2e-3 abs:1e-6",
             "bf16": "rel:1.6e-2 abs:1e-6"}
PARTS = [("elements", element_case, KINDS), ("math", math_case, list(FLOATS)),
         ("pow", power_case, INTS), ("convert", convert_case, KINDS)]
