# SPDX-License-Identifier: Apache-2.0
"""Cases of the functions of adze_math.h and adze_windows.h, for make_form_numbers.py.

NumPy's own functions where it has them, else loops and formulas in double.
"""
import itertools
import math
from fractions import Fraction

import numpy as np

RNG = np.random.RandomState(1911)


def draw(*shape):
    return RNG.normal(0, 1, shape).astype(np.float32)


def math_cases(i, e):
    x, y = i["x"], i["y"] = draw(24) * 3, draw(24) * 3
    u = i["u"] = np.linspace(-1, 1, 24).astype(np.float32)
    p = i["p"] = np.exp(draw(24) * 4)
    odd = i["odd"] = np.float32([0, -0.0, np.inf, -np.inf, np.nan, 1e-6, -1e-6, 100])
    a, b, v, q, o = (z.astype(float) for z in (x, y, u, p, odd))
    with np.errstate(all="ignore"):
        for f in ("exp2", "arctan", "sinh", "cosh", "arcsinh", "trunc", "degrees", "radians", "sinc"):
            name = f.replace("arc", "a")
            e[name] = getattr(np, f)(a)
            if f not in ("cosh", "sinc", "exp2"):
                e[name + "_odd"] = getattr(np, f)(o).astype(np.float32)
        e["log2"], e["log10"] = np.log2(q), np.log10(q)
        e["asin"], e["acos"] = np.arcsin(v), np.arccos(v)
        e["acosh"], e["atanh"] = np.arccosh(1 + q), np.arctanh(v[1:-1])
        i["inside"] = u[1:-1]
        e["frac"] = a - np.trunc(a)
        e["logit"] = np.log((v[1:-1] / 2 + 0.5) / (0.5 - v[1:-1] / 2))
        e["relu6"], e["tanh_shrink"] = np.clip(a * 2, 0, 6), a - np.tanh(a)
        pairs = np.float32(list(itertools.product(odd, odd))).T
        i["oa"], i["ob"] = pairs[0].copy(), pairs[1].copy()
        oa, ob = pairs.astype(float)
        e["copysign"] = np.where(np.isnan(ob), abs(oa), np.copysign(oa, ob))
        e["hypot"] = np.where(np.isnan(oa) | np.isnan(ob), np.nan, np.hypot(oa, ob))
        e["log_add_exp"] = np.logaddexp(oa, ob)
        e["xlogy"] = np.where((oa == 0) & ~np.isnan(ob), 0, oa * np.log(ob))
        e["prelu"], e["reglu"] = np.where(a > 0, a, a * b), np.maximum(a, 0) * b
        e["mod"], e["floor_div"] = np.mod(a, b), np.floor(a / b)
    m, n = i["m"], i["n"] = [np.int32(z) for z in zip(
        *itertools.product([-7, -6, -1, 0, 1, 5, 6, 2 ** 31 - 1], [-3, -1, 1, 2, 6]))]
    e["mod_i"], e["floor_div_i"] = np.mod(m, n), m // n
    e["scale"], e["offset"], e["div_by"] = a * 0.5, a + 3, a / 7
    e["pow_2"], e["pow_3"], e["pow_half"], e["pow_less"] = a ** 2, a ** 3, q ** 0.5, q ** -0.5
    e["pow_back"] = 1 / a
    e["threshold"] = np.where(a > 0.5, a, -9)
    e["hard_shrink"] = np.where(abs(a) <= 1, 0, a)
    e["soft_shrink"] = np.sign(a) * np.maximum(abs(a) - 1, 0)
    e["heaviside"] = np.heaviside(o, 0.25)
    e["nan_to_num"] = np.nan_to_num(o, nan=7, posinf=8, neginf=-9)
    e["logical_and"], e["logical_or"] = np.logical_and(m, n), np.logical_or(m, n > 0)
    e["logical_xor"], e["logical_not"] = np.logical_xor(m, n), np.logical_not(m)
    e["sign_bit"] = np.signbit(odd)
    e["is_close"] = np.isclose(oa, ob, 1e-3, 1e-5)
    e["mask"] = np.where(u > 0, x, np.float32(4))
    # To nearest even by fractions, and by NumPy's own half.
    e["narrow_half"] = x.astype(np.float16).astype(np.float32)
    e["narrow_own"] = x
    e["narrow_two"] = np.float32([float(round(Fraction(float(z)) / Fraction(2) ** (k - 2))
                                        * Fraction(2) ** (k - 2))
                                  for z in x for k in [math.frexp(z)[1] - 1]])


def stat_cases(i, e):
    x = i["x"] = draw(3, 5, 4)
    z = i["z"] = np.where(RNG.rand(3, 5, 4) < 0.3, np.float32(np.nan), draw(3, 5, 4))
    y = i["y"] = draw(3, 5, 4)
    k = i["k"] = RNG.randint(-1, 2, (3, 5)).astype(np.int32)
    v, w, u = x.astype(float), y.astype(float), z.astype(float)
    e["count"], e["count_all"] = (k != 0).sum(1), np.int64((k != 0).sum())
    e["nan_sum"], e["nan_mean"] = np.nansum(u, 1), np.nanmean(u, (0, 1))
    e["max"], e["max_at"] = x.max(1), x.argmax(1).astype(np.int32)
    e["min"], e["min_at"] = k.min(0), k.argmin(0).astype(np.int32)
    sink = i["sink"] = draw(3)
    s = sink.astype(float)[:, None, None]
    e["softmax_sink"] = np.exp(v) / (np.exp(v).sum(2, keepdims=True) + np.exp(s))
    none = i["none"] = np.float32([[-np.inf, -np.inf], [0, 100]])
    e["softmax_none"] = np.array([[0, 0], [math.exp(-100), 1]])
    i["low"] = np.float32(-np.inf)
    e["softmin"] = np.exp(-v) / np.exp(-v).sum(1, keepdims=True)
    e["distance"] = np.sqrt(((v - w) ** 2).sum(2))
    e["norm_3"], e["norm_0"] = (abs(v) ** 3).sum(1) ** (1 / 3), (k != 0).sum(1).astype(float)
    e["norm_least"] = abs(v).min((1, 2))
    e["cosine"] = (v * w).sum(1) / np.sqrt((v * v).sum(1) * (w * w).sum(1))
    e["diff"], e["diff_i"] = np.diff(v, axis=1), np.diff(k, axis=0)
    a, b, c = i["a"], i["b"], i["c"] = draw(2, 1, 3, 5), draw(4, 5, 2), draw(5)
    a, b, c = (t.astype(float) for t in (a, b, c))
    e["matmul"], e["matmul_2"] = a @ b, a[0, 0] @ b[0]
    e["matmul_row"], e["matmul_column"], e["matmul_dot"] = c @ b, a @ c, np.dot(c, c)
    i["a2"], i["b2"] = i["a"][0, 0].copy(), i["b"][0].copy()
    e["vecdot"], e["vecdot_i"] = (v * w).sum(1), (k * k).sum(0, dtype=np.int32)
    r, t = i["r"], i["t"] = draw(4, 3), draw(4, 3)
    e["cross"] = np.cross(r.astype(float), t.astype(float))
    e["kron"] = np.kron(r.astype(float), t.astype(float)[:2])
    i["t2"] = t[:2].copy()


def shape_cases(i, e):
    x = i["x"] = draw(2, 5, 4)
    for n in range(4):
        e[f"unstack_{n}"] = x[..., n]
    e["move_last"], e["move_first"] = np.moveaxis(x, 0, -1), np.moveaxis(x, 2, 0)
    e["to_last"] = x.transpose(1, 2, 0)
    e["slice_box"] = x[:, 1:-1, 1:3]
    at = i["at"] = np.int32(3)
    e["pick_box"] = x[:, 2:5, 1:3]
    e["put_box"] = x.copy()
    e["put_box"][:, 3:5, :] = x[:, :2]
    e["einsum_diagonal"] = np.einsum("nii->in", x[:, :4].astype(float))
    e["einsum_trace"] = np.einsum("nii,ni->", x[:, :4].astype(float), x[:, 4].astype(float))
    assert at == 3
    e["expand"] = np.repeat(x[:, None], 3, 1)
    e["broadcast_like"] = np.broadcast_to(x[0, 0], (2, 5, 4))
    i["row"] = x[0, 0].copy()
    e["tile"] = np.tile(x, (2, 1, 3))
    e["pad_all"] = np.pad(x, [(1, 0), (0, 2), (3, 3)], constant_values=6)[:, 1:]
    for n in range(-1, 4):
        e[f"rot90_{n}"] = np.rot90(x, n, (1, 2))
    e["bytes"] = np.frombuffer(x.tobytes(), np.uint8)
    for n in (0, 2, -3, 4, -5):
        e[f"diag_{n}"] = np.diagonal(x, n, 1, 2)
    e["trace"] = x.astype(float).trace(0, 1, 2)
    e["diag_swap"] = np.diagonal(x, 1, 2, 0)
    for n in (0, 2, -1):
        square = np.zeros((2, 5 + abs(n), 5 + abs(n), 4), np.float32)
        for r in range(5):
            square[:, r + max(-n, 0), r + max(n, 0)] = x[:, r]
        e[f"to_diagonal_{n}"] = square
    a, b, c = i["a"], i["b"], i["c"] = draw(2), draw(3), draw(4)
    for n, v in enumerate(np.meshgrid(a, b, c, indexing="ij")):
        e[f"grid_{n}"] = v
    e["cartesian"] = np.stack(np.meshgrid(a, b, indexing="ij"), -1)
    e["windows"] = np.stack([x[:, k:k + 3] for k in (0, 2)], 1)
    e["zeros"], e["ones"] = np.zeros((2, 3), np.float32), np.ones((2, 3), np.int32)
    e["zeros_like"], e["ones_like"] = np.zeros_like(x), np.ones_like(x)
    e["full_like"] = np.full_like(x, 2.5)
    e["logspace"] = np.logspace(-1, 2, 7, base=3)
    e["causal"] = np.tri(3, 5, 2, dtype=bool)
    e["causal_window"] = np.tri(3, 5, 2, dtype=bool) & ~np.tri(3, 5, 0, dtype=bool)
    n = i["n"] = np.int32([[0, 3, 5], [1, 9, 2]])
    e["sequence"] = np.arange(5) < n[..., None]


def quantize_cases(i, e):
    x = i["x"] = np.concatenate([draw(4, 5) * 40, np.float32(
        [[0.5, 1.5, 2.5, -0.5, -1.5], [1e9, -1e9, np.inf, -np.inf, np.nan]])])
    s, z = i["s"], i["z"] = np.float32(0.5), np.int32(3)
    rs, rz = i["rs"], i["rz"] = (RNG.rand(6) + 0.25).astype(np.float32), np.int8([0, 1, -4, 9, -1, 0])
    v = x.astype(float)

    def cut(y, low, high, kind):
        return np.clip(np.where(np.isnan(y), 0, np.rint(y)), low, high).astype(kind)

    e["quantize"] = cut(np.rint(v / 0.5) + 3, -128, 127, np.int8)
    e["quantize_u"] = cut(v, 0, 255, np.uint8)
    rows = np.rint((x / rs[:, None]).astype(np.float32)).astype(float) + rz[:, None]
    e["quantize_rows"] = cut(rows, -128, 127, np.int8)
    q = i["q"] = RNG.randint(-128, 128, (6, 8)).astype(np.int8)
    e["dequantize"] = (q.astype(float) - 3) * 0.5
    e["dequantize_rows"] = (q.astype(float) - rz[:, None]) * rs[:, None].astype(float)
    blocks = i["blocks"] = (RNG.rand(6, 2) + 0.25).astype(np.float32)
    e["dequantize_blocks"] = q * np.repeat(blocks.astype(float), 4, 1)


def general_conv(x, w, stride, low, high, spacing, dilation, groups=1, batch_groups=1, reverse=()):
    """[n, c, ...] with [o, i, ...], every product on its own."""
    n = x.ndim - 2
    wide = np.zeros(x.shape[:2] + tuple((m - 1) * s + 1 for m, s in zip(x.shape[2:], spacing)))
    wide[(slice(None),) * 2 + tuple(slice(None, None, s) for s in spacing)] = x
    wide = np.pad(wide, [(0, 0)] * 2 + [(max(p, 0), max(q, 0)) for p, q in zip(low, high)])
    wide = wide[(slice(None),) * 2 + tuple(slice(max(-p, 0), m - max(-q, 0)) for p, q, m
                                           in zip(low, high, wide.shape[2:]))]
    w = np.flip(w.astype(float), [2 + k for k in reverse])
    size = [(m - (k - 1) * d - 1) // s + 1
            for m, k, d, s in zip(wide.shape[2:], w.shape[2:], dilation, stride)]
    batch, out = x.shape[0] // batch_groups, w.shape[0]
    y = np.zeros((batch, out, *size))
    for b, o, *at in itertools.product(*map(range, y.shape)):
        first = o // (out // groups) * w.shape[1]
        b_of = b + o // (out // batch_groups) * batch
        for c, *k in itertools.product(*map(range, w.shape[1:])):
            place = [p * s + q * d for p, s, q, d in zip(at, stride, k, dilation)]
            y[(b, o, *at)] += wide[(b_of, first + c, *place)] * w[(o, c, *k)]
    return y


def coords(k, n, out, scale, mode):
    by = scale or out / n
    if mode == "corners":
        return k * (n - 1) / (out - 1) if out > 1 else 0.0
    if mode == "asymmetric":
        return k / by
    if mode == "pytorch" and out == 1:
        return 0.0
    if mode == "symmetric":
        return n / 2 * (1 - out / (by * n)) + (k + 0.5) / by - 0.5
    return (k + 0.5) / by - 0.5


def resize(x, axis, out, kernel, mode, scale=0, a=-0.75, outside=False, antialias=False,
           rounding=None):
    """ONNX's Resize along one axis, by its words."""
    x = np.moveaxis(x.astype(float), axis, 0)
    n, by = len(x), scale or out / len(x)
    wide = max(1, 1 / by) if antialias else 1
    y = []
    for k in range(out):
        at = coords(k, n, out, scale, mode)
        if kernel == "nearest":
            at = {"prefer_floor": math.ceil(at - 0.5), "prefer_ceil": math.floor(at + 0.5),
                  "floor": math.floor(at), "ceil": math.ceil(at)}[rounding]
            y.append(x[min(max(at, 0), n - 1)])
            continue

        def weight(p):
            d = abs(p - at) / wide
            if kernel == "linear":
                return max(0, 1 - d)
            if d <= 1:
                return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1
            return a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a if d < 2 else 0

        taps = [(p, weight(p)) for p in range(math.floor(at) - 12, math.floor(at) + 14)]
        taps = [(p, w) for p, w in taps if not outside or 0 <= p < n]
        total = sum(w for _, w in taps)
        y.append(sum(x[min(max(p, 0), n - 1)] * w for p, w in taps) / total)
    return np.moveaxis(np.array(y), 0, axis)


def image_cases(i, e):
    line, image = i["line"], i["image"] = draw(2, 4, 9), draw(4, 4, 6, 7)
    w, v = i["w"], i["v"] = draw(6, 4, 3, 2), draw(4, 2, 3)
    e["conv"] = general_conv(image, w, [1, 2], [1, 0], [2, 1], [2, 3], [1, 2])
    nhwc, hwio = i["nhwc"], i["hwio"] = (
        np.ascontiguousarray(image.transpose(0, 2, 3, 1)),
        np.ascontiguousarray(w.transpose(2, 3, 1, 0)))
    assert nhwc.shape and hwio.shape
    plain = general_conv(image, w, [1, 1], [0, 0], [0, 0], [1, 1], [1, 1], reverse=[0, 1])
    e["conv_last"] = plain.transpose(0, 2, 3, 1)
    e["conv_batch"] = general_conv(image, w, [2, 1], [1, 1], [0, 0], [1, 1], [1, 1],
                                   batch_groups=2)
    e["conv_groups"] = general_conv(line, v, [1], [-1], [3], [2], [1], groups=2, reverse=[0])
    ones, x = np.zeros((2, 4, 9 + 3)), np.pad(line.astype(float), [(0, 0), (0, 0), (2, 1)])
    ones[:, :, 2:11] = 1
    inside = [(x[..., k:k + 4].sum(-1), ones[..., k:k + 4].sum(-1)) for k in range(0, 9, 2)]
    e["avg_inside"] = np.stack([s / n for s, n in inside], -1)
    e["lp_pool"] = np.stack([(abs(line[..., k:k + 3].astype(float)) ** 3).sum(-1) ** (1 / 3)
                             for k in range(0, 7, 3)], -1)
    y, at = np.zeros((4, 4, 3, 3), np.float32), np.zeros((4, 4, 3, 3), np.int64)
    for b, c, p, q in itertools.product(range(4), range(4), range(3), range(3)):
        best = [(-image[b, c, r, s], r * 7 + s) for r in range(p * 2 - 1, p * 2 + 2)
                for s in range(q * 2, q * 2 + 3, 2) if 0 <= r < 6 and 0 <= s < 7]
        y[b, c, p, q], at[b, c, p, q] = -min(best)[0], min(best)[1]
    e["max_pool"], e["max_pool_at"] = y, at
    for f, word in ((np.max, "max"), (np.mean, "avg")):
        e["adaptive_" + word] = np.stack([np.stack([
            f(image[:, :, h * 6 // 4:-(-(h + 1) * 6 // 4), k * 7 // 3:-(-(k + 1) * 7 // 3)]
              .astype(float), axis=(2, 3)) for k in range(3)], -1) for h in range(4)], -2)
    e["adaptive_more"] = np.stack([line[..., k * 9 // 12:-(-(k + 1) * 9 // 12)].astype(float)
                                   .mean(-1) for k in range(12)], -1)
    e["symmetric"] = np.pad(image, [(0, 0)] * 2 + [(3, 6), (0, 0)], "symmetric")
    e["circular"] = np.pad(image, [(0, 0)] * 3 + [(7, 2)], "wrap")
    for mode in ("half", "pytorch", "asymmetric", "corners", "symmetric"):
        e["linear_" + mode] = resize(line, 2, 13, "linear", mode)
        e["cubic_" + mode] = resize(line, 2, 5, "cubic", mode)
    for rounding in ("prefer_floor", "prefer_ceil", "floor", "ceil"):
        e["nearest_" + rounding] = resize(line, 2, 6, "nearest", "half", rounding=rounding)
    e["linear_one"] = resize(line, 2, 1, "linear", "pytorch")
    e["cubic_scale"] = resize(line, 2, 14, "cubic", "half", scale=1.6, a=-0.5, outside=True)
    e["symmetric_scale"] = resize(line, 2, 14, "linear", "symmetric", scale=1.6)
    e["antialias"] = resize(line, 2, 4, "linear", "half", antialias=True, outside=True)
    e["antialias_cubic"] = resize(line, 2, 4, "cubic", "half", antialias=True, a=-0.5)
    deep = i["deep"] = draw(2, 8, 2, 3)
    e["depth_to_space"] = deep.reshape(2, 2, 2, 2, 2, 3).transpose(0, 3, 4, 1, 5, 2).reshape(2, 2, 4, 6)
    e["space_to_depth"], i["space"] = deep, e["depth_to_space"].copy()
    e["channel_shuffle"] = deep.reshape(2, 2, 4, 2, 3).transpose(0, 2, 1, 3, 4).reshape(2, 8, 2, 3)


FILES = {"math": (math_cases,), "stats": (stat_cases,), "shapes": (shape_cases,),
         "quantize": (quantize_cases,), "images": (image_cases,)}
