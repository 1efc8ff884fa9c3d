# SPDX-License-Identifier: Apache-2.0
"""Sums, products and moved elements by JAX, for make_jax_numbers.py.

Operands of sums are small whole numbers, so that every order of adding gives the same, in
every type, and the results must be exact.
"""
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
from jax import lax

from jax_tensors import (COMPLEX, DTYPE, FLOATS, INTS, KINDS, NUMBERS, WIDE, Numbers, cut, given,
                         of, small, some, taken, wide)
from opcase import Case, int_range

FUNCTIONS = {"add": lax.add, "mul": lax.mul, "max": lax.max, "min": lax.min,
             "and": lax.bitwise_and, "or": lax.bitwise_or, "xor": lax.bitwise_xor}


def functions_of(kind):
    names = list(FUNCTIONS)
    return names[4:] if kind == "bool" else names if kind in INTS else names[:4]


def start(by, kind):
    """What a reduction begins with, as JAX's number of the type that is computed in."""
    if kind == "bool":
        return np.array(by == "and", bool)
    if by in ("add", "or", "xor"):
        return np.zeros((), DTYPE[WIDE.get(kind, kind)])
    if by == "mul":
        return wide(of(1, kind))
    if kind in INTS:
        low, high = int_range(kind)
        return wide(of({"max": low, "min": high, "and": -1 if low else high}[by], kind))
    f = ml_dtypes.finfo(DTYPE[kind])
    least, most = (f.min, f.max) if np.isfinite(of(np.inf, kind).values()[0]) or np.isnan(
        of(np.inf, kind).values()[0]) else (-np.inf, np.inf)
    return wide(of(float(least if by == "max" else most), kind))


def operand_of(rng, by, kind, *shape):
    """Products stay small: two elements are 2, the others 1 or -1."""
    if by != "mul":
        return small(rng, kind, *shape)
    x = rng.choice([1, 1 if kind[0] == "u" else -1], shape)
    x.ravel()[[3, -4]] = 2
    return of(x, kind)


def reduce_case(name, rng, kind):
    case = Case(name)
    none = Numbers(small(rng, kind, 3, 2).array[:, :0])
    case.input("none", none)
    whole = some(rng, kind, 4, 6) if kind in INTS else None
    if whole:
        case.input("whole", whole)
    for by in functions_of(kind):
        f, init = FUNCTIONS[by], start(by, kind)
        x = operand_of(rng, by, kind, 3, 5, 4)
        case.input(f"x_{by}", x)
        for axes in ([0], [1], [2], [0, 2], [0, 1, 2]):
            y = cut(lax.reduce(wide(x), init, f, axes), kind)
            case.op(f"{by}_{''.join(map(str, axes))}", "reduce", [f"x_{by}"], y, by=by, axes=axes)
        y = cut(lax.reduce(wide(none), init, f, [1]), kind)
        case.op(f"{by}_none", "reduce", ["none"], y, by=by, axes=[1])
        if whole:
            y = cut(lax.reduce(wide(whole), init, f, [1]), kind)
            case.op(f"{by}_whole", "reduce", ["whole"], y, by=by, axes=[1])
    if kind in FLOATS:
        n, i = np.nan, np.inf
        x = of([[1, n, 3], [i, 2, -i], [-i, -i, -i], [-0.0, -0.0, -0.0], [0.0, -0.0, 0.0],
                [-0.0, 0.0, -1.0], [n, i, -i]], kind)
        case.input("special", x)
        for by in functions_of(kind):
            y = cut(lax.reduce(wide(x), start(by, kind), FUNCTIONS[by], [1]), kind)
            case.op(f"{by}_special", "reduce", ["special"], y, by=by, axes=[1])
    return case


def arg_case(name, rng, kind):
    case = Case(name)
    x = small(rng, kind, 4, 5, 3)
    case.input("x", x)
    if kind in FLOATS:
        n, i = np.nan, np.inf
        case.input("special", of([[1, n, n], [i, 2, -i], [-i, -i, -i], [0, -0.0, 0],
                                  [-0.0, 0, -0.0], [n, i, -i]], kind))
    for f, by in (("argmax", lax.argmax), ("argmin", lax.argmin)):
        for axis in (0, 1, 2):
            case.op(f"{f}_{axis}", f, ["x"], taken(by(wide(x), axis, np.int32)), axis=axis)
        if kind in FLOATS:
            y = by(wide(case.inputs["special"]), 1, np.int32)
            case.op(f"{f}_special", f, ["special"], taken(y), axis=1)
    return case


WINDOWS = [  # name, attributes: of a [2, 5, 6] operand
    ("plain", {"window": [1, 2, 3]}), ("stride", {"window": [1, 2, 2], "stride": [1, 2, 3]}),
    ("padded", {"window": [1, 3, 2], "stride": [1, 2, 1], "low": [0, 1, 1], "high": [0, 2, 0]}),
    ("dilated", {"window": [2, 2, 2], "dilation": [1, 3, 2]}),
    ("outside", {"window": [1, 1, 1], "stride": [1, 3, 1], "low": [1, 2, 0], "high": [0, 4, 0]})]


def window_case(name, rng, kind):
    case = Case(name)
    for by in functions_of(kind):
        x = operand_of(rng, by, kind, 2, 5, 6)
        case.input(f"x_{by}", x)
        for word, attrs in WINDOWS:
            full = {"stride": [1] * 3, "low": [0] * 3, "high": [0] * 3, "dilation": [1] * 3} | attrs
            y = lax.reduce_window(wide(x), start(by, kind), FUNCTIONS[by], full["window"],
                                  full["stride"], list(zip(full["low"], full["high"])), None,
                                  full["dilation"])
            case.op(f"{by}_{word}", "reduce_window", [f"x_{by}"], cut(y, kind), by=by, **attrs)
    return case


DOTS = [  # name, shapes, axes of batch and sum of both
    ("plain", (3, 5), (5, 4), [], [], [1], [0]), ("rows", (3, 5), (4, 5), [], [], [1], [1]),
    ("columns", (5, 3), (5, 4), [], [], [0], [0]), ("inner", (7,), (7,), [], [], [0], [0]),
    ("outer", (3,), (4,), [], [], [], []), ("vector", (4, 6), (6,), [], [], [1], [0]),
    ("batch", (2, 3, 5), (2, 5, 4), [0], [0], [2], [1]),
    ("batch_late", (3, 2, 5), (5, 4, 2), [1], [2], [2], [0]),
    ("batch_two", (2, 3, 2, 3), (3, 2, 2, 3), [0, 1], [1, 0], [3], [3]),
    ("sum_two", (3, 2, 3), (3, 2, 2), [], [], [1, 2], [1, 0]),
    ("all_batch", (2, 3), (2, 3), [0, 1], [0, 1], [], []),
    ("wide", (2, 37), (37, 9), [], [], [1], [0]), ("tall", (19, 3), (3, 5), [], [], [1], [0]),
    ("no_sum", (3, 0), (0, 4), [], [], [1], [0]), ("no_rows", (0, 5), (5, 4), [], [], [1], [0])]


def dot_case(name, rng, kind):
    case = Case(name, "ulp:0")  # JAX adds nothing to a single product: it may be -0
    for name, sa, sb, ba, bb, ca, cb in DOTS:
        a, b = small(rng, kind, *sa), small(rng, kind, *sb)
        case.input(f"{name}_a", a)
        case.input(f"{name}_b", b)
        y = lax.dot_general(wide(a), wide(b), ((ca, cb), (ba, bb)))
        attrs = {"batch_a": ba, "batch_b": bb, "sum_a": ca, "sum_b": cb}
        case.op(name, "dot", [f"{name}_a", f"{name}_b"], cut(y, kind),
                **{k: v for k, v in attrs.items() if v})
    return case


CONVS = [  # name, x, w, attributes
    ("plain", (2, 3, 4, 5), (4, 3, 2, 3), {}),
    ("same", (1, 2, 4, 4), (3, 2, 3, 3), {"low": [1, 1], "high": [1, 1]}),
    ("point", (2, 4, 2, 3), (3, 4, 1, 1), {}),
    ("stride", (1, 2, 7, 6), (2, 2, 3, 2), {"stride": [2, 3]}),
    ("uneven", (1, 1, 5, 4), (2, 1, 4, 3), {"low": [2, 0], "high": [1, 2], "stride": [2, 1]}),
    ("dilated", (1, 2, 7, 6), (2, 2, 3, 2), {"dilation": [2, 3], "low": [1, 0], "high": [0, 1]}),
    ("groups", (1, 4, 4, 3), (4, 2, 3, 3), {"groups": 2, "low": [1, 1], "high": [1, 1]}),
    ("depthwise", (1, 3, 5, 5), (3, 1, 3, 3),
     {"groups": 3, "stride": [2, 2], "low": [1, 1], "high": [1, 1]}),
    ("multiplied", (1, 2, 3, 3), (4, 1, 2, 2), {"groups": 2}),
    ("cropped", (1, 1, 6, 6), (2, 1, 3, 3), {"low": [-1, 1], "high": [0, -2]}),
    ("line", (2, 2, 9), (3, 2, 4), {"stride": [2], "low": [3], "high": [0], "dilation": [2]}),
    ("cube", (1, 2, 3, 4, 3), (2, 2, 2, 3, 2),
     {"stride": [1, 2, 1], "low": [0, 1, 0], "high": [1, 1, 0]})]


def conv_case(name, rng, kind):
    case = Case(name, "ulp:0")  # as of dot
    for name, sx, sw, attrs in CONVS:
        x, w, n = small(rng, kind, *sx), small(rng, kind, *sw), len(sx) - 2
        case.input(f"{name}_x", x)
        case.input(f"{name}_w", w)
        full = {"stride": [1] * n, "low": [0] * n, "high": [0] * n, "dilation": [1] * n,
                "groups": 1} | attrs
        y = lax.conv_general_dilated(
            wide(x), wide(w), full["stride"], list(zip(full["low"], full["high"])),
            rhs_dilation=full["dilation"], feature_group_count=full["groups"])
        case.op(name, "conv", [f"{name}_x", f"{name}_w"], cut(y, kind), **attrs)
    return case


def move_case(name, rng, kind):
    case = Case(name)
    x, z, fill = some(rng, kind, 2, 4, 3), some(rng, kind, 2, 2, 3), some(rng, kind, 1)
    fill = Numbers(fill.array.reshape(()))
    for name, t in (("x", x), ("z", z), ("fill", fill)):
        case.input(name, t)
    # XLA fails in some moves of 2 bits.
    u, w, f = map(wide if kind in ("i2", "u2") else given, (x, z, fill))

    def op(name, word, args, y, **attrs):
        case.op(name, word, args, cut(y, kind), **attrs)

    op("reshape", "reshape", ["x"], lax.reshape(u, (3, 8)))
    op("broadcast", "broadcast", ["z"], lax.broadcast_in_dim(w, (3, 2, 2, 2), (3, 1, 0)),
       axes=[3, 1, 0])
    op("broadcast_fill", "broadcast", ["fill"], lax.broadcast_in_dim(f, (2, 3), ()))
    for axes in ([0, 2, 1], [2, 1, 0], [1, 0, 2]):
        op("transpose_" + "".join(map(str, axes)), "transpose", ["x"], lax.transpose(u, axes),
           axes=axes)
    op("slice", "slice", ["x"], lax.slice(u, (0, 1, 0), (2, 4, 3), (1, 2, 2)), start=[0, 1, 0],
       limit=[2, 4, 3], stride=[1, 2, 2])
    op("reverse", "reverse", ["x"], lax.rev(u, (0, 2)), axes=[0, 2])
    op("concat", "concat", ["x", "z", "x"], lax.concatenate([u, w, u], 1), axis=1)
    low, high = [1, -1, 0], [0, 2, -2]
    op("pad", "pad", ["x", "fill"], lax.pad(u, f, list(zip(low, high, [0] * 3))), low=low,
       high=high)
    pick = Numbers(rng.rand(2, 4, 3) < 0.5)
    case.input("pick", pick)
    op("select", "select", ["pick", "x", "other"], lax.select(given(pick), u, lax.rev(u, (1,))))
    case.input("other", cut(lax.rev(u, (1,)), kind))
    for name, at in (("at", (1, 2, 0)), ("far", (-9, 100, 1))):
        for i, v in enumerate(at):
            case.input(f"{name}{i}", np.array(v, np.int32))
        names = [f"{name}{i}" for i in range(3)]
        op(f"dynamic_slice_{name}", "dynamic_slice", ["x"] + names,
           lax.dynamic_slice(u, at, (1, 2, 2)), size=[1, 2, 2])
        op(f"dynamic_update_slice_{name}", "dynamic_update_slice", ["x", "z"] + names,
           lax.dynamic_update_slice(u, w, at))
    places = np.array([[3, 0, -5], [9, 1, 2]], np.int32)
    case.input("places", places)
    op("take", "take", ["x", "places"], jnp.take(u, places, 1, mode="clip"), axis=1)
    case.op("extent", "extent", ["x"], np.array(4, np.int32), axis=1)
    if kind != "bool" and kind not in COMPLEX:
        op("iota", "iota", [], lax.broadcasted_iota(u.dtype, (2, 5), 1), axis=1)
    case.op("const", f'const hex"{x.bytes().tobytes().hex()}"', [], x)
    return case


def softmax_case(name, rng, kind):
    """Narrow floats by way of f32, rounded once: JAX rounds after every step."""
    case = Case(name, {"f64": "rel:1e-13 abs:1e-15", "f32": "rel:4e-6 abs:1e-7"}.get(
        kind, "ulp:1"))
    n, i = np.nan, np.inf
    special = of([[100, 99, -100, 0], [-i, 0, 1, -i], [-30, -30, 30, 0], [n, 0, 1, 2],
                  [-200, -200, -200, -200], [i, 0, 1, 2], [-i, -i, -i, -i]], kind)
    for name, x, axes in (("x", some(rng, kind, 2, 3, 17), (0, 1, 2)), ("special", special, (1,))):
        case.input(name, x)
        for axis in axes:
            u = given(x)
            wide = u if kind in ("f32", "f64") else u.astype(np.float32)
            y = lax.convert_element_type(jax.nn.softmax(wide, axis), u.dtype)
            case.op(f"{name}_{axis}", "softmax", [name], taken(y), axis=axis)
    return case


PARTS = [("reduce", reduce_case, KINDS), ("window", window_case, KINDS),
         ("moves", move_case, KINDS + COMPLEX), ("arg", arg_case, NUMBERS),
         ("dot", dot_case, NUMBERS + COMPLEX), ("conv", conv_case, NUMBERS + COMPLEX),
         ("softmax", softmax_case, FLOATS)]
