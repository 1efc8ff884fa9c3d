#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/ops: graphs, inputs and what NumPy says of them.

Needs Debian's python3-numpy and python3-scipy. The same bytes come out each time. Sums
are taken in double over explicit loops or einsum, then rounded once; nothing here knows
how the library computes. opcase.py says what a file holds and how it is to be compared.
"""
import glob
import itertools
import os
import sys

import numpy as np

import body_numbers
import complex_numbers
import ew_numbers
import plain_numbers
from opcase import NUMPY, Case, Tensor, int_range

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "data", "ops")
SUMS = {"f64": "rel:1e-13 abs:1e-13", "f32": "rel:4e-6 abs:1e-5", "f16": "ulp:1", "bf16": "ulp:1",
        "i32": "exact", "i8": "exact"}


def some(rng, kind, *shape):
    """Random elements: integers over the whole range, so that sums wrap."""
    if kind[0] in "iu":
        low, high = int_range(kind)
        return Tensor(rng.randint(low, high + 1, shape, np.int64).astype(NUMPY[kind]))
    return Tensor.of(rng.normal(0, 1, shape), kind)


def numbers(x):
    """The values as doubles, or as int64, whose overflow is the wrapping that is asked for."""
    v = np.array(x.values()).reshape(x.array.shape)
    return v.astype(np.int64 if x.kind[0] in "iu" else np.float64)


def cut(y, kind):
    """Numbers as `kind`; integers wrap."""
    y = np.asarray(y)
    return Tensor(y.astype(NUMPY[kind])) if kind in NUMPY else Tensor.of(y, kind)


def reduce_cases(rng):
    out = []
    functions = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum,
                 "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}
    for kind in ("f32", "f64", "f16", "i8", "i32"):
        case = Case(f"reduce_{kind}", SUMS[kind])
        x = some(rng, kind, 3, 6, 4)
        case.input("x", x)
        case.input("none", Tensor(x.array[:, :0], kind))
        for by in list(functions)[:7 if kind[0] in "iu" else 4]:
            for axes in ([0], [1], [2], [0, 2], [0, 1, 2]):
                y = functions[by].reduce(numbers(x), tuple(axes))
                name = f"{by}_{''.join(map(str, axes))}"
                case.op(name, "reduce", ["x"], cut(y, kind), by=by, axes=axes)
        for by, start in (("add", 0), ("mul", 1)):
            y = np.full((3, 4), start)
            case.op(f"{by}_none", "reduce", ["none"], cut(y, kind), by=by, axes=[1])
        if kind[0] == "f":
            y = np.full((3, 4), -np.inf)
            case.op("max_none", "reduce", ["none"], cut(y, kind), by="max", axes=[1])
        out.append(case)
    case = Case("reduce_special")
    n, i = np.nan, np.inf
    x = np.array([[1, n, 3], [i, 2, -i], [-i, -i, -i], [0.5, -2, 7]], np.float32)
    case.input("x", x)
    case.input("b", np.array([[0, 0, 0], [1, 0, 1], [1, 1, 1]], bool))
    case.op("max", "reduce", ["x"], np.maximum.reduce(x, 1), by="max", axes=[1])
    case.op("min", "reduce", ["x"], np.minimum.reduce(x, 1), by="min", axes=[1])
    with np.errstate(invalid="ignore"):
        case.op("add", "reduce", ["x"], np.add.reduce(x, 1), by="add", axes=[1])
    case.op("and", "reduce", ["b"], np.array([False, False, True]), by="and", axes=[1])
    case.op("or", "reduce", ["b"], np.array([False, True, True]), by="or", axes=[1])
    case.op("xor", "reduce", ["b"], np.array([False, False, True]), by="xor", axes=[1])
    return out + [case]


def arg_case(rng):
    case = Case("arg")
    for kind in ("f32", "bf16", "i8"):
        x = some(rng, kind, 5, 6, 3)
        if kind == "f32":
            x.array[1, 2, 0] = x.array[1, 4, 0] = np.nan
            x.array[2, 3, 1] = x.array[2, 1, 1] = np.inf
            x.array[3, :, 2] = -np.inf
        case.input(kind, x)
        for f, by in (("argmax", np.argmax), ("argmin", np.argmin)):
            for axis in (0, 1, 2):
                y = by(numbers(x), axis).astype(np.int32)
                case.op(f"{f}_{kind}_{axis}", f, [kind], y, axis=axis)
    return case


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def row_cases(rng):
    out = []
    for kind, tol in (("f32", "rel:2e-6 abs:2e-6"), ("f64", "rel:1e-14 abs:1e-14"),
                      ("f16", "rel:1e-3 abs:1e-6"), ("bf16", "rel:8e-3 abs:1e-6")):
        case = Case(f"rows_{kind}", tol)
        x, scale, bias = (some(rng, kind, *shape) for shape in ((2, 3, 19), (19,), (19,)))
        for name, v in (("x", x), ("scale", scale), ("bias", bias)):
            case.input(name, v)
        v, s, b = numbers(x), numbers(scale), numbers(bias)
        for axis in (0, 1, 2):
            case.op(f"softmax_{axis}", "softmax", ["x"], cut(softmax(v, axis), kind), axis=axis)
        d = v - v.mean(-1, keepdims=True)
        norm = d / np.sqrt((d * d).mean(-1, keepdims=True) + 1e-5)
        case.op("layer_norm", "layer_norm", ["x"], cut(norm, kind), eps=1e-05)
        case.op("layer_norm_s", "layer_norm", ["x", "scale"], cut(norm * s, kind), eps=1e-05)
        case.op("layer_norm_sb", "layer_norm", ["x", "scale", "bias"], cut(norm * s + b, kind),
                eps=1e-05)
        rms = v / np.sqrt((v * v).mean(-1, keepdims=True) + 0.015625)
        case.op("rms_norm", "rms_norm", ["x"], cut(rms, kind), eps=0.015625)
        case.op("rms_norm_s", "rms_norm", ["x", "scale"], cut(rms * s, kind), eps=0.015625)
        out.append(case)
    case = Case("rows_special", "rel:2e-6 abs:1e-7")
    i, n = np.inf, np.nan
    x = np.array([[1000, 999, -1000, 0], [-i, 0, 1, -i], [-1e30, -1e30, 1e30, 0], [n, 0, 1, 2],
                  [-2000, -2000, -2000, -2000]], np.float32)
    one = np.array([[3.5], [-1e4]], np.float32)
    flat = np.array([[100.5] * 6, [0.0] * 6, [1e-3, -1e-3] * 3], np.float32)
    for name, v in (("x", x), ("one", one), ("flat", flat)):
        case.input(name, v)
    case.op("softmax", "softmax", ["x"], cut(softmax(x.astype(float), 1), "f32"), axis=1)
    case.op("softmax_one", "softmax", ["one"], np.ones_like(one), axis=1)
    v = flat.astype(float)
    d = v - v.mean(-1, keepdims=True)
    norm = d / np.sqrt((d * d).mean(-1, keepdims=True) + 1e-5)
    case.op("layer_norm_flat", "layer_norm", ["flat"], cut(norm, "f32"), eps=1e-05)
    rms = v / np.sqrt((v * v).mean(-1, keepdims=True) + 1e-5)
    case.op("rms_norm_flat", "rms_norm", ["flat"], cut(rms, "f32"), eps=1e-05)
    return out + [case]


DOTS = [  # name, shapes, subscripts: result axes are batch, rest of a, rest of b
    ("plain", (3, 5), (5, 4), "ik,kj->ij"), ("rows", (3, 5), (4, 5), "ik,jk->ij"),
    ("columns", (5, 3), (5, 4), "ki,kj->ij"), ("inner", (9,), (9,), "k,k->"),
    ("outer", (3,), (4,), "i,j->ij"), ("vector", (4, 6), (6,), "ik,k->i"),
    ("batch", (2, 3, 5), (2, 5, 4), "bik,bkj->bij"),
    ("batch_late", (3, 2, 5), (5, 4, 2), "ibk,kjb->bij"),
    ("batch_two", (2, 3, 4, 5), (3, 2, 2, 5), "abik,bajk->abij"),
    ("sum_two", (3, 4, 5), (5, 2, 4), "ikl,ljk->ij"),
    ("rest_two", (2, 3, 5), (5, 2, 2), "ghk,kij->ghij"),
    ("all_batch", (2, 3), (2, 3), "ab,ab->ab"),
    ("heads", (2, 4, 3, 2), (2, 5, 3, 2), "bqhd,bkhd->bhqk"),
    ("wide", (2, 37), (37, 9), "ik,kj->ij"), ("empty_sum", (3, 0), (0, 4), "ik,kj->ij"),
    ("empty_rows", (0, 5), (5, 4), "ik,kj->ij")]


def dot_cases(rng):
    out = []
    for kind in ("f32", "f64", "f16", "i32"):
        case = Case(f"dot_{kind}", SUMS[kind])
        for name, sa, sb, spec in DOTS:
            a, b = some(rng, kind, *sa), some(rng, kind, *sb)
            case.input(f"{name}_a", a)
            case.input(f"{name}_b", b)
            ia, ib, ir = spec.replace("->", ",").split(",")
            batch = [c for c in ir if c in ia and c in ib]
            total = [c for c in ia if c not in ir]
            attrs = {f"{word}_{side}": [axes.index(c) for c in letters]
                     for word, letters in (("batch", batch), ("sum", total))
                     for side, axes in (("a", ia), ("b", ib))}
            y = np.einsum(spec, numbers(a), numbers(b))
            case.op(name, "dot", [f"{name}_a", f"{name}_b"], cut(y, kind),
                    **{k: v for k, v in attrs.items() if v})
        out.append(case)
    return out


def padded(x, low, high, value):
    """Spatial axes (the last ones) widened, or cut where negative."""
    skip = x.ndim - len(low)
    x = x[(slice(None),) * skip + tuple(slice(max(-a, 0), n - max(-b, 0))
                                        for a, b, n in zip(low, high, x.shape[skip:]))]
    wide = [(0, 0)] * skip + [(max(a, 0), max(b, 0)) for a, b in zip(low, high)]
    return np.pad(x, wide, constant_values=value)


def conv(x, w, stride, low, high, dilation, groups):
    """By loops over every element of the result."""
    x = padded(x, low, high, 0)
    spatial = [(n - (k - 1) * d - 1) // s + 1
               for n, k, s, d in zip(x.shape[2:], w.shape[2:], stride, dilation)]
    y = np.zeros((x.shape[0], w.shape[0], *spatial), x.dtype)
    per_out, per_in = w.shape[0] // groups, w.shape[1]
    for o, *at in itertools.product(range(w.shape[0]), *map(range, spatial)):
        g = o // per_out * per_in
        box = tuple(slice(p * s, p * s + (k - 1) * d + 1, d)
                    for p, s, k, d in zip(at, stride, w.shape[2:], dilation))
        part = x[(slice(None), slice(g, g + per_in)) + box] * w[o]
        y[(slice(None), o, *at)] = part.sum(tuple(range(1, x.ndim)))
    return y


CONVS = [  # name, x, w, attributes
    ("plain", (2, 3, 5, 6), (4, 3, 3, 3), {}),
    ("same", (1, 2, 5, 5), (3, 2, 3, 3), {"low": [1, 1], "high": [1, 1]}),
    ("point", (2, 5, 3, 3), (4, 5, 1, 1), {}),
    ("stride", (1, 2, 9, 8), (3, 2, 3, 2), {"stride": [2, 3]}),
    ("uneven", (1, 2, 6, 5), (2, 2, 4, 3), {"low": [2, 0], "high": [1, 2], "stride": [2, 1]}),
    ("dilated", (1, 2, 9, 7), (2, 2, 3, 2), {"dilation": [2, 3], "low": [1, 0], "high": [0, 1]}),
    ("groups", (1, 6, 5, 4), (4, 3, 3, 3), {"groups": 2, "low": [1, 1], "high": [1, 1]}),
    ("depthwise", (1, 4, 6, 6), (4, 1, 3, 3),
     {"groups": 4, "stride": [2, 2], "low": [1, 1], "high": [1, 1]}),
    ("multiplied", (1, 3, 4, 4), (6, 1, 2, 2), {"groups": 3}),
    ("cropped", (1, 2, 7, 7), (2, 2, 3, 3), {"low": [-1, 1], "high": [0, -2]}),
    ("line", (2, 3, 11), (4, 3, 4), {"stride": [2], "low": [3], "high": [0], "dilation": [2]}),
    ("cube", (1, 2, 4, 5, 4), (2, 2, 2, 3, 2),
     {"stride": [1, 2, 1], "low": [0, 1, 0], "high": [1, 1, 0]}),
    ("no_image", (0, 2, 5, 5), (3, 2, 3, 3), {})]


def conv_cases(rng):
    out = []
    for kind in ("f32", "f16"):
        case = Case(f"conv_{kind}", SUMS[kind])
        for name, sx, sw, attrs in CONVS:
            x, w, n = some(rng, kind, *sx), some(rng, kind, *sw), len(sx) - 2
            case.input(f"{name}_x", x)
            case.input(f"{name}_w", w)
            full = {"stride": [1] * n, "low": [0] * n, "high": [0] * n, "dilation": [1] * n,
                    "groups": 1} | attrs
            y = conv(numbers(x), numbers(w), **full)
            case.op(name, "conv", [f"{name}_x", f"{name}_w"], cut(y, kind), **attrs)
        out.append(case)
    return out


def slide(x, by, window, stride, low, high, dilation):
    f, start = {"add": (np.add, 0), "mul": (np.multiply, 1), "max": (np.maximum, -np.inf),
                "min": (np.minimum, np.inf)}[by]
    x = padded(x.astype(float), low, high, start)
    shape = [(n - (k - 1) * d - 1) // s + 1 for n, k, s,
              d in zip(x.shape, window, stride, dilation)]
    y = np.zeros(shape)
    for at in itertools.product(*map(range, shape)):
        box = tuple(slice(p * s, p * s + (k - 1) * d + 1, d)
                    for p, s, k, d in zip(at, stride, window, dilation))
        y[at] = f.reduce(x[box].ravel())
    return y


WINDOWS = [  # name, operand, function, attributes
    ("max_pool", "x", "max", {"window": [1, 1, 2, 2], "stride": [1, 1, 2, 2]}),
    ("max_pad", "x", "max", {"window": [1, 1, 3, 3], "stride": [1, 1, 2, 2], "low": [0, 0, 1, 1],
                             "high": [0, 0, 1, 1]}),
    ("sum_pool", "x", "add", {"window": [1, 1, 3, 2], "stride": [1, 1, 1, 2], "low": [0, 0, 1, 0],
                              "high": [0, 0, 2, 1]}),
    ("min_dilated", "x", "min", {"window": [1, 1, 2, 3], "dilation": [1, 1, 3, 2]}),
    ("product", "x", "mul", {"window": [1, 1, 2, 2]}),
    ("all_axes", "x", "add", {"window": [2, 2, 3, 3], "stride": [1, 1, 2, 3]}),
    ("outside", "v", "add", {"window": [2], "stride": [2], "low": [3], "high": [4]}),
    ("running", "v", "add", {"window": [9], "low": [8], "high": [0]})]


def window_cases(rng):
    out = []
    for kind in ("f32", "f16", "i8"):
        case = Case(f"reduce_window_{kind}", SUMS[kind])
        draw = Tensor.of(rng.randint(-3, 4, (2, 3, 7, 6)).tolist(), kind) if kind == "i8" else \
            some(rng, kind, 2, 3, 7, 6)
        case.input("x", draw)
        case.input("v", Tensor(draw.array.ravel()[:9], kind))
        for name, operand, by, attrs in WINDOWS:
            x = numbers(case.inputs[operand])
            n = x.ndim
            full = {"stride": [1] * n, "low": [0] * n, "high": [0] * n, "dilation": [1] * n}
            y = slide(x, by, **(full | attrs))
            case.op(name, "reduce_window", [operand], cut(y, kind), by=by, **attrs)
        out.append(case)
    return out


def view_case(rng, kind):
    """Operations that only move elements, and so are exact in every type."""
    case = Case(f"views_{kind}")
    x, z = (some(rng, kind, *s) if kind != "bool" else Tensor(rng.rand(*s) < 0.5)
            for s in ((2, 5, 6), (2, 2, 6)))
    v, w = x.array, z.array
    for name, a in (("x", v), ("z", w), ("row", v[0, 0]), ("one", v[:, :1]), ("fill", v[0, 0, 0]),
                    ("none", v[:0])):
        case.input(name, Tensor(a.copy(), kind))

    def op(name, word, args, y, **attrs):
        case.op(name, word, args, Tensor(y, kind), **attrs)

    op("reshape", "reshape", ["x"], v.reshape(4, 3, 5))
    op("reshape_flat", "reshape", ["x"], v.reshape(-1))
    op("reshape_one", "reshape", ["fill"], v[0, 0, 0].reshape(1, 1))
    op("reshape_none", "reshape", ["none"], v[:0].reshape(7, 0))
    op("broadcast_row", "broadcast", ["row"], np.broadcast_to(v[0, 0], (3, 6)), axes=[1])
    op("broadcast_column", "broadcast", ["row"], np.repeat(v[0, 0][:, None], 3, 1), axes=[0])
    op("broadcast_one", "broadcast", ["one"], np.broadcast_to(v[:, :1], (2, 3, 6)), axes=[0, 1, 2])
    op("broadcast_fill", "broadcast", ["fill"], np.broadcast_to(v[0, 0, 0], (2, 3)))
    op("broadcast_swap", "broadcast", ["z"],
       np.broadcast_to(w.transpose(2, 0, 1)[:, None], (6, 3, 2, 2)), axes=[2, 3, 0])
    for axes in ([0, 2, 1], [2, 1, 0], [1, 2, 0], [0, 1, 2]):
        op("transpose_" + "".join(map(str, axes)), "transpose", ["x"], v.transpose(axes), axes=axes)
    op("slice", "slice", ["x"], v[1:2, 0:5, 2:6], start=[1, 0, 2], limit=[2, 5, 6])
    op("slice_stride", "slice", ["x"], v[0:2:3, 1:5:2, 0:6:4], start=[0, 1, 0], limit=[2, 5, 6],
       stride=[3, 2, 4])
    op("slice_none", "slice", ["x"], v[1:1], start=[1, 0, 0], limit=[1, 5, 6])
    op("reverse", "reverse", ["x"], v[::-1, :, ::-1], axes=[0, 2])
    op("concat", "concat", ["x", "z", "one"], np.concatenate([v, w, v[:, :1]], 1), axis=1)
    op("concat_none", "concat", ["none", "x"], v, axis=0)
    for name, low, high in (("pad", [1, 0, 2], [0, 3, 1]), ("pad_cut", [-1, 2, 0], [0, -3, -4])):
        op(name, "pad", ["x", "fill"], padded(v, low, high, v[0, 0, 0]), low=low, high=high)
    for name, low, high, between in (
            ("pad_between", [0, 0, 0], [0, 0, 0], [1, 0, 3]),
            ("pad_both", [1, 2, 0], [0, 1, 4], [2, 1, 0]),
            ("pad_between_cut", [-1, -3, 2], [-1, -4, -7], [3, 2, 1]),
            ("pad_between_gone", [-2, 5, 0], [0, -9, 0], [1, 0, 0])):
        wide = np.full([n + (n - 1) * k for n, k in zip(v.shape, between)], v[0, 0, 0])
        wide[tuple(slice(None, None, k + 1) for k in between)] = v
        wide = np.pad(wide, [(max(a, 0), max(b, 0)) for a, b in zip(low, high)],
                      constant_values=v[0, 0, 0])
        y = wide[tuple(slice(max(-a, 0), n - max(-b, 0))
                       for a, b, n in zip(low, high, wide.shape))]
        op(name, "pad", ["x", "fill"], y, low=low, high=high, interior=between)
    return case


def bitcast_case():
    """The same bytes; NaNs as they are."""
    case, rng = Case("bitcast"), np.random.RandomState(21)
    kinds = ["i8", "u8", "i16", "u16", "f16", "bf16", "i32", "u32", "f32", "i64", "u64", "f64"]
    size = {k: int(k.strip("iubf")) // 8 for k in kinds}
    for n in (1, 2, 4, 8):
        data = rng.bytes(24 * 8)
        for kind in kinds:
            if size[kind] != n:
                continue
            x = Tensor.of([0], kind)
            x.array = np.frombuffer(data, x.array.dtype)[:24].reshape(3, 8)
            case.input(f"x_{kind}", x)
            for to in kinds:
                y = Tensor.of([0], to)
                m = size[to]
                shape = (3, 8) if m == n else (3, 8, n // m) if m < n else \
                    (3,) if m // n == 8 else None
                if shape is not None:
                    y.array = x.array.view(y.array.dtype).reshape(shape)
                    case.op(f"{kind}_{to}", "bitcast", [f"x_{kind}"], y)
    case.op("barrier", "barrier", ["x_i8"], case.inputs["x_i8"])
    return case


def place_case(rng, kind):
    """Operations whose places depend on values; places beyond the range are kept to it."""
    case = Case(f"places_{kind}")
    x, u = (some(rng, kind, *s) if kind != "bool" else Tensor(rng.rand(*s) < 0.5)
            for s in ((5, 6), (2, 3)))
    case.input("x", x)
    case.input("u", u)
    places = {"i": np.array([[0, 4, 2], [-1, 9, 1]], np.int32),
              "l": np.array([3, -2 ** 40, 2 ** 40]),
              "b": np.array([5, 0, 255, 1], np.uint8), "s": np.array(3, np.int32)}
    for name, at in places.items():
        case.input(name, at)
        for axis in (0, 1):
            y = np.take(x.array, np.clip(at.astype(np.int64), 0, x.array.shape[axis] - 1), axis)
            case.op(f"take_{name}{axis}", "take", ["x", name], Tensor(y, kind), axis=axis)
    case.input("none", np.zeros(0, np.int32))
    case.op("take_none", "take", ["x", "none"], Tensor(x.array[:0], kind), axis=0)
    scalars = {"p0": 0, "p1": 1, "p2": 2, "far": 100, "before": -7}
    for name, at in scalars.items():
        case.input(name, np.array(at, np.int64 if name == "far" else np.int32))
    for a, b in (("p0", "p0"), ("p1", "p2"), ("far", "p1"), ("p2", "before"), ("far", "far")):
        i, j = (min(max(scalars[k], 0), n) for k, n in ((a, 3), (b, 3)))
        case.op(f"dynamic_slice_{a}_{b}", "dynamic_slice", ["x", a, b],
                Tensor(x.array[i:i + 2, j:j + 3], kind), size=[2, 3])
        y = x.array.copy()
        y[i:i + 2, j:j + 3] = u.array
        case.op(f"dynamic_update_slice_{a}_{b}", "dynamic_update_slice", ["x", "u", a, b],
                Tensor(y, kind))
    return case


def source_case():
    case = Case("sources")
    case.input("x", np.zeros((2, 3, 0), np.float32))
    for kind in ("i32", "i64", "u8", "f32", "f64", "f16", "bf16"):
        for axis in (0, 1):
            y = np.arange(3 + axis).reshape((3, 1) if axis == 0 else (1, 4))
            y = cut(np.broadcast_to(y, (3, 4)), kind)
            case.op(f"iota_{kind}_{axis}", "iota", [], y, axis=axis)
    for axis in range(3):
        case.op(f"extent_{axis}", "extent", ["x"], np.array([2, 3, 0][axis], np.int32), axis=axis)
    return case


def symbol_case(rng):
    """A bounded symbol, called with fewer elements than the bound."""
    case = Case("symbol", "rel:2e-6 abs:2e-6")
    x, w = some(rng, "f32", 5, 3), some(rng, "f32", 3, 4)
    case.input("x", x, "[t<=8, 3]")
    case.input("w", w)
    v = numbers(x)
    case.op("dot", "dot", ["x", "w"], cut(v @ numbers(w), "f32"), "[t<=8, 4]", sum_a=[1], sum_b=[0])
    case.op("exp", "exp", ["x"], cut(np.exp(v), "f32"), "[t<=8, 3]")
    case.op("sum", "reduce", ["x"], cut(v.sum(0), "f32"), by="add", axes=[0])
    case.op("max", "reduce", ["x"], cut(v.max(0), "f32"), by="max", axes=[0])
    case.op("softmax", "softmax", ["x"], cut(softmax(v, 0), "f32"), "[t<=8, 3]", axis=0)
    case.op("transpose", "transpose", ["x"], cut(v.T, "f32"), "[3, t<=8]", axes=[1, 0])
    case.op("flat", "reshape", ["x"], cut(v.ravel(), "f32"), "[_=3*t<=8]")
    case.op("count", "iota", [], np.arange(5, dtype=np.int32), "[t<=8]", axis=0)
    case.op("extent", "extent", ["x"], np.array(5, np.int32), axis=0)
    case.op("argmax", "argmax", ["x"], v.argmax(0).astype(np.int32), axis=0)
    return case


def main():
    rng = np.random.RandomState(1797)
    cases = ew_numbers.cases(rng)
    with np.errstate(over="ignore"):
        cases += reduce_cases(rng) + [arg_case(rng)] + row_cases(rng) + dot_cases(rng)
        cases += conv_cases(rng) + window_cases(rng)
    cases += [view_case(rng, k) for k in ("f32", "i64", "bool")]
    cases += [place_case(rng, k) for k in ("f32", "u8")]
    cases += plain_numbers.cases() + body_numbers.cases() + complex_numbers.cases()
    cases += [source_case(), symbol_case(rng), bitcast_case()]
    os.makedirs(OUT, exist_ok=True)
    for old in glob.glob(os.path.join(OUT, "*.safetensors")):
        os.remove(old)
    for case in cases:
        case.write(OUT)
    size = sum(os.path.getsize(f) for f in glob.glob(os.path.join(OUT, "*")))
    print(f"{len(cases)} files, {sum(len(c.expect) for c in cases)} outputs, {size} bytes in {OUT}",
          file=sys.stderr)


if __name__ == "__main__":
    main()
