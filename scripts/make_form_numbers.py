#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/forms: inputs of functions on tensors, and what NumPy says of them.

Needs Debian's python3-numpy. The same bytes come out each time. Formulas and loops in double,
rounded once; nothing here knows of what operations the library makes a function.
tests/forms_test.c has the call for each `expect.NAME`.
"""
import itertools
import math
import os

import numpy as np

import form_more_numbers
import form_order_numbers
import form_pick_numbers
import tensorfile

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "data", "forms")
RNG = np.random.RandomState(7)


def draw(*shape):
    return RNG.normal(0, 1, shape).astype(np.float32)


def each(f, *arrays):
    """A scalar function over every element."""
    return np.vectorize(f, otypes=[float])(*[a.astype(float) for a in arrays])


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def softplus(v):
    return v if v > 30 else math.log1p(math.exp(v))


def element_cases(i, e):
    x = i["x"] = np.concatenate([draw(20) * 3, np.float32([0, -0.0, 1, -1, 40, -40, 3, -3])])
    y, t = i["y"], i["t"] = draw(28), RNG.rand(28).astype(np.float32)
    odd = i["odd"] = np.float32([1, np.nan, np.inf, -np.inf, -2, 0])
    m = i["m"] = RNG.rand(28) < 0.5
    e["softplus"] = each(softplus, x)
    e["log_sigmoid"] = each(lambda v: -softplus(-v), x)
    e["softsign"] = each(lambda v: v / (1 + abs(v)), x)
    e["mish"] = each(lambda v: v * math.tanh(softplus(v)), x)
    e["hard_sigmoid"] = each(lambda v: min(max(v + 3, 0), 6) / 6, x)
    e["hard_swish"] = each(lambda v: v * min(max(v + 3, 0), 6) / 6, x)
    e["quick_gelu"] = each(lambda v: v * sigmoid(1.702 * v), x)
    e["leaky_relu"] = each(lambda v: v if v > 0 else 0.1 * v, x)
    e["elu"] = each(lambda v: v if v > 0 else 0.7 * (math.exp(v) - 1), x)
    e["celu"] = each(lambda v: max(0, v) + min(0, 2 * (math.exp(v / 2) - 1)), x)
    e["selu"] = each(lambda v: 1.0507009873554805 * (
        v if v > 0 else 1.6732632423543772 * (math.exp(v) - 1)), x)
    e["soft_cap"] = each(lambda v: 5 * math.tanh(v / 5), x)
    e["swiglu"] = each(lambda a, b: a * sigmoid(a) * b, x, y)
    e["geglu"] = each(lambda a, b: a * 0.5 * (1 + math.erf(a / math.sqrt(2))) * b, x, y)
    e["square"] = x.astype(float) ** 2
    e["reciprocal"] = 1 / y.astype(float)
    e["fmod"] = np.fmod(x.astype(float), 1.25)
    e["clamp_to"] = np.clip(x, -1, 2)
    e["lerp"] = x + t.astype(float) * (y.astype(float) - x)
    e["is_nan"], e["is_inf"] = np.isnan(odd), np.isinf(odd)
    e["masked_fill"] = np.where(m, np.float32(9), x)


def reduce_cases(i, e):
    x = i["r"] = draw(3, 5, 4)
    v = x.astype(float)
    i["low"] = np.float32([[-np.inf, 0, 1], [-np.inf] * 3, [1000, 1000, 999],
                           [np.inf, 0, 1]])
    e["log_sum_exp"] = np.log(np.exp(v).sum(1))
    e["log_sum_exp_all"] = np.log(np.exp(v).sum())
    e["log_sum_exp_low"] = np.array([math.log(1 + math.e), -np.inf,
                                     1000 + math.log(2 + math.exp(-1)), np.inf])
    e["log_softmax"] = v - np.log(np.exp(v).sum(1, keepdims=True))
    e["log_softmax_two"] = v - np.log(np.exp(v).sum((0, 2), keepdims=True))
    e["var"] = e["var_symbol"] = v.var(1)
    e["var_one"] = v.var((0, 2), ddof=1)
    e["std"] = v.std(ddof=1)
    e["norm_1"], e["norm_max"] = np.abs(v).sum(1), np.abs(v).max(1)
    e["norm_2"] = e["norm_symbol"] = np.sqrt((v * v).sum(1))
    e["l2_normalize"] = v / np.sqrt((v * v).sum(1, keepdims=True))


def source_cases(i, e):
    e["arange"] = np.arange(7) * 3.0 - 4
    e["arange_i"] = (np.arange(7) * 3 - 4).astype(np.int32)
    e["linspace"], e["linspace_one"] = np.linspace(-1, 2.3, 11), np.array([5.0])
    e["linspace_symbol"] = np.linspace(0, 1, 5)
    e["full"], e["eye"] = np.full((2, 3), 2.5), np.eye(3, 5)


def part_cases(i, e):
    x = i["x"] = draw(2, 6, 4)
    y = i["y"] = draw(2, 6, 4)
    ids = i["ids"] = np.array([[3, 0, 9], [5, 2, -1]], np.int32)
    byte = i["byte"] = np.array([255, 44, 7], np.uint8)
    table = i["table"] = draw(6, 5)
    e["split_axis"] = x.reshape(2, 2, 3, 4)
    e["split_symbol"] = x.reshape(2, 6, 2, 2)
    e["merge_axes"] = x.reshape(12, 4)
    e["merge_far"] = np.array([[[x[a, b, c] for b in range(6)] for a in range(2)]
                               for c in range(4)]).reshape(8, 6)
    e["flatten"] = x.ravel()
    e["insert_axis"], e["insert_last"] = x[:, None], x[..., None]
    e["squeeze"], e["swap_axes"] = x, x.swapaxes(0, 2)
    e["choose"], e["choose_end"] = x[:, 2], x[..., -1]
    e["stack"] = np.stack([x, y, x], 1)
    e["split_0"], e["split_1"], e["split_2"] = x[:, :1], x[:, 1:4], x[:, 4:]
    e["chunk_0"], e["chunk_1"], e["chunk_2"] = x[:, :2], x[:, 2:4], x[:, 4:]
    e["repeat"], e["repeat_symbol"] = np.tile(x, (1, 3, 1)), np.tile(x, (1, 2, 1))
    e["stutter"], e["stutter_symbol"] = x.repeat(2, 2), x.repeat(2, 1)
    e["roll"], e["roll_back"] = np.roll(x, 2, 1), np.roll(x, -15, 1)
    e["roll_symbol"] = np.roll(x, -4, 1)
    e["tril"], e["triu"] = np.tril(x, 1), np.triu(x, -2)
    e["tril_symbol"] = np.tril(x)
    e["diagonal"] = np.array([[[v if c - r == -1 else 0 for c, v in enumerate(row)]
                               for r, row in enumerate(part)] for part in x], np.float32)
    hot = np.zeros((2, 3, 6), np.float32)
    for a, b in itertools.product(range(2), range(3)):
        if 0 <= ids[a, b] < 6:
            hot[a, b, ids[a, b]] = 1
    e["one_hot"] = hot
    wide = np.zeros((3, 300), np.int8)
    for k, b in enumerate(byte):
        wide[k, b] = 1
    e["one_hot_wide"] = wide
    e["embedding"] = np.array([[table[min(max(k, 0), 5)] for k in row] for row in ids])
    e["outer"] = np.einsum("abc,ij->abcij", x.astype(float), table)


def einsum_cases(i, e):
    a, b, c = i["a"], i["b"], i["c"] = draw(2, 3, 5), draw(2, 5, 4), draw(4, 2)
    a64, b64, c64 = (v.astype(float) for v in (a, b, c))
    e["einsum"] = np.einsum("bik,bkj->bij", a64, b64)
    e["einsum_order"] = np.einsum("bik,bkj->jbi", a64, b64)
    e["einsum_one"] = np.einsum("bik->kb", a64)
    e["einsum_three"] = np.einsum("bik,bkj,jb->bi", a64, b64, c64)
    e["einsum_outside"] = np.einsum("bik,jm->ij", a64, c64)
    e["einsum_scalar"] = np.einsum("bik,bkj->", a64, b64)


def conv(x, w, stride, low, high, dilation, groups=1):
    n = x.ndim - 2
    x = np.pad(x.astype(float), [(0, 0)] * 2 + list(zip(low, high)))
    size = [(x.shape[2 + k] - (w.shape[2 + k] - 1) * dilation[k] - 1) // stride[k] + 1
            for k in range(n)]
    y = np.zeros((x.shape[0], w.shape[0], *size))
    per_out, per_in = w.shape[0] // groups, w.shape[1]
    for b, o, *at in itertools.product(*map(range, y.shape)):
        for c, *k in itertools.product(*map(range, w.shape[1:])):
            place = [p * s + q * d for p, s, q, d in zip(at, stride, k, dilation)]
            y[(b, o, *at)] += x[(b, o // per_out * per_in + c, *place)] * w[(o, c, *k)]
    return y


def conv_transpose(x, w, stride, low, high, dilation, groups=1):
    """Every element of x spreads w over the result."""
    n = x.ndim - 2
    size = [(x.shape[2 + k] - 1) * stride[k] + (w.shape[2 + k] - 1) * dilation[k] + 1
            for k in range(n)]
    room = [max(0, -h) for h in high]
    y = np.zeros((x.shape[0], w.shape[1] * groups, *[s + r for s, r in zip(size, room)]))
    per = x.shape[1] // groups
    for b, c, *at in itertools.product(*map(range, x.shape)):
        for o, *k in itertools.product(*map(range, w.shape[1:])):
            place = [p * s + q * d for p, s, q, d in zip(at, stride, k, dilation)]
            out = c // per * w.shape[1] + o
            y[(b, out, *place)] += float(x[(b, c, *at)]) * w[(c, o, *k)]
    cut = tuple(slice(a, s - h) for a, s, h in zip(low, size, high))
    return y[(slice(None), slice(None)) + cut]


def pool(f, x, size, stride):
    n = [(a - k) // s + 1 for a, k, s in zip(x.shape[2:], size, stride)]
    y = np.zeros(x.shape[:2] + tuple(n))
    for b, c, *at in itertools.product(*map(range, y.shape)):
        box = tuple(slice(p * s, p * s + k) for p, s, k in zip(at, stride, size))
        y[(b, c, *at)] = f(x[(b, c) + box].astype(float))
    return y


def resize(x, axis, out, mode):
    """One axis of x by the formula of each mode."""
    x = np.moveaxis(x.astype(float), axis, 0)
    n = len(x)

    def near(d):
        d, a = abs(d), -0.75
        if d <= 1:
            return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1
        return a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a if d < 2 else 0

    y = []
    for i in range(out):
        if mode == "nearest":
            y.append(x[math.floor(i * (n / out) + 1e-9)])
            continue
        corners = mode.endswith("corners")
        at = i * (n - 1) / (out - 1) if corners else (i + 0.5) * n / out - 0.5
        if mode == "linear":
            at = max(at, 0)
        first = math.floor(at)
        if mode.startswith("linear"):
            taps = [(first, 1 - (at - first)), (first + 1, at - first)]
        else:
            taps = [(first + k, near(at - first - k)) for k in range(-1, 3)]
        y.append(sum(x[min(max(p, 0), n - 1)] * w for p, w in taps))
    return np.moveaxis(np.array(y), 0, axis)


def window_cases(i, e):
    line, cube, image = i["line"], i["cube"], i["image"] = (
        draw(2, 4, 9), draw(1, 2, 4, 5, 4), draw(2, 4, 6, 8))
    w1, w3 = i["w1"], i["w3"] = draw(6, 2, 3), draw(3, 2, 2, 3, 2)
    t1, t2, t3 = i["t1"], i["t2"], i["t3"] = draw(4, 3, 3), draw(4, 3, 3, 2), draw(2, 2, 2, 2, 3)
    e["conv1d"] = conv(line, w1, [2], [1], [2], [2], 2)
    e["conv3d"] = conv(cube, w3, [1, 2, 1], [0, 1, 1], [1, 1, 0], [2, 1, 1])
    e["transpose1"] = conv_transpose(line, t1, [3], [1], [0], [2])
    e["transpose2"] = conv_transpose(image, t2, [2, 1], [1, 0], [0, -1], [1, 2], 2)
    e["transpose3"] = conv_transpose(cube, t3, [2, 1, 2], [1, 0, 2], [1, 1, 1], [1, 1, 1])
    e["max_pool1"] = pool(np.max, line, [3], [2])
    e["avg_pool1"] = pool(np.mean, line, [4], [4])
    e["max_pool3"] = pool(np.max, cube, [2, 2, 3], [1, 2, 1])
    e["avg_pool3"] = pool(np.mean, cube, [2, 5, 2], [2, 5, 2])
    e["adaptive_max"] = pool(np.max, image, [2, 4], [2, 4])
    e["adaptive_avg"] = pool(np.mean, image, [6, 2], [6, 2])
    e["global_max"] = image.max((2, 3))
    e["global_avg"] = cube.astype(float).mean((2, 3, 4))
    e["reflect"] = np.pad(image, [(0, 0)] * 2 + [(3, 5), (0, 0)], "reflect")
    e["replicate"] = np.pad(image, [(0, 0)] * 3 + [(2, 11)], "edge")
    for mode in ("nearest", "linear", "linear_corners", "cubic", "cubic_corners"):
        e[mode + "_up"] = resize(line, 2, 13, mode)
        e[mode + "_down"] = resize(line, 2, 4, mode)
    e["resize2d"] = resize(resize(image, 2, 9, "linear"), 3, 5, "linear")
    shuffled = np.zeros((2, 1, 12, 16), np.float32)
    for b, c, h, w in itertools.product(*map(range, image.shape)):
        shuffled[b, 0, h * 2 + c // 2, w * 2 + c % 2] = image[b, c, h, w]
    e["shuffle"], i["shuffled"], e["unshuffle"] = shuffled, shuffled.copy(), image


def attend(q, k, v, see, cap=0.0, sinks=None, add=None):
    """One row after another."""
    b, heads, s, d = q.shape
    y = np.zeros((b, heads, s, v.shape[3]))
    for n, h, r in itertools.product(range(b), range(heads), range(s)):
        kv = h * k.shape[1] // heads
        score = {}
        for c in range(k.shape[2]):
            if not see(r, c, s, k.shape[2]):
                continue
            p = float(np.dot(q[n, h, r].astype(float), k[n, kv, c].astype(float))) / math.sqrt(d)
            p = cap * math.tanh(p / cap) if cap else p
            score[c] = p + (float(add[r, c]) if add is not None else 0)
        total = sum(math.exp(p) for p in score.values())
        total += math.exp(float(sinks[h])) if sinks is not None else 0
        for c, p in score.items():
            y[n, h, r] += math.exp(p) / total * v[n, kv, c]
    return y


def rope(x, places, width, base, interleaved, scale=1.0):
    """x [b, s, h, d] turned pair by pair as complex numbers."""
    y = x.astype(float).copy()
    for b, s, j in itertools.product(range(x.shape[0]), range(x.shape[1]), range(width // 2)):
        place = places[b, s] if places.ndim == 2 else places[s]
        one, two = (2 * j, 2 * j + 1) if interleaved else (j, j + width // 2)
        angle = place / scale * base ** (-2 * j / width)
        z = (x[b, s, :, one].astype(float) + 1j * x[b, s, :, two]) * np.exp(1j * angle)
        y[b, s, :, one], y[b, s, :, two] = z.real, z.imag
    return y


def layer_cases(i, e):
    x = i["x"] = draw(2, 6, 3, 4)
    mean, scale, bias = i["mean"], i["scale"], i["bias"] = draw(6), draw(6), draw(6)
    variance = i["variance"] = (RNG.rand(6) + 0.5).astype(np.float32)
    v = x.astype(float)
    c = (None, slice(None), None, None)
    e["batch_norm"] = ((v - mean[c]) / np.sqrt(variance.astype(float)[c] + 1e-3) * scale[c]
                       + bias[c])
    e["batch_plain"] = (v - mean[c]) / np.sqrt(variance.astype(float)[c] + 1e-3)
    for name, n in (("group_norm", 3), ("instance_norm", 6)):
        g = v.reshape(2, n, -1)
        g = (g - g.mean(2, keepdims=True)) / np.sqrt(g.var(2, keepdims=True) + 1e-5)
        e[name] = g.reshape(v.shape) * scale[c] + bias[c]
    q, k, w = i["q"], i["k"], i["v"] = draw(2, 4, 3, 8), draw(2, 2, 5, 8), draw(2, 2, 5, 6)
    sinks, mask = i["sinks"], i["mask"] = draw(4), RNG.rand(3, 5) < 0.6
    mask[1] = False
    add = draw(3, 5)
    i["add"] = add[None]
    e["attention"] = e["attention_symbol"] = attend(q, k, w, lambda r, c, s, t: True)
    e["causal"] = e["causal_symbol"] = attend(q, k, w, lambda r, c, s, t: c <= r + t - s)
    e["causal_first"] = attend(q, k, w, lambda r, c, s, t: c <= r + 1)
    e["window"] = attend(q, k, w, lambda r, c, s, t: r + t - s - 2 < c <= r + t - s)
    e["masked"] = attend(q, k, w, lambda r, c, s, t: mask[r, c])
    e["added"] = attend(q, k, w, lambda r, c, s, t: True, 2.0, None, add)
    e["with_sinks"] = attend(q, k, w, lambda r, c, s, t: c <= r + t - s, 0.0, sinks)
    p = i["p"] = draw(2, 5, 2, 8)
    at = i["at"] = np.array([0, 1, 7, 100, 3], np.int32)
    at2 = i["at2"] = np.array([[0, 1, 2, 3, 4], [9, 8, 7, 6, 5]], np.int64)
    e["rope"] = e["rope_symbol"] = rope(p, at, 8, 10000.0, False)
    e["rope_pairs"] = rope(p, at2, 8, 500.0, True)
    e["rope_part"] = rope(p, at2, 4, 10000.0, False, 2.0)
    e["rope_part_pairs"] = rope(p, at, 6, 10000.0, True)
    z, h, s = i["z"], i["h"], i["s"] = draw(2, 5), draw(2, 3), draw(2, 3)
    wx, wh, bx, bh = i["wx"], i["wh"], i["bx"], i["bh"] = (
        draw(12, 5), draw(12, 3), draw(12), draw(12))
    g, b = z.astype(float) @ wx.T + bx, h.astype(float) @ wh.T + bh
    a = g + b
    cell = sigmoid(a[:, 3:6]) * s + sigmoid(a[:, :3]) * np.tanh(a[:, 6:9])
    e["lstm_h"], e["lstm_c"] = sigmoid(a[:, 9:]) * np.tanh(cell), cell
    r, u = sigmoid(a[:, :3]), sigmoid(a[:, 3:6])
    n = np.tanh(g[:, 6:9] + r * b[:, 6:9])
    e["gru"] = (1 - u) * n + u * h
    a = z.astype(float) @ wx.T + h.astype(float) @ wh.T
    n = np.tanh((z.astype(float) @ wx.T)[:, 6:9]
                + sigmoid(a[:, :3]) * (h.astype(float) @ wh.T)[:, 6:9])
    u = sigmoid(a[:, 3:6])
    e["gru_plain"] = (1 - u) * n + u * h


def main():
    os.makedirs(OUT, exist_ok=True)
    files = {"elements": (element_cases, reduce_cases, source_cases),
             "parts": (part_cases, einsum_cases), "windows": (window_cases,),
             "layers": (layer_cases,)}
    files |= form_more_numbers.FILES | form_pick_numbers.FILES
    files |= form_order_numbers.FILES
    count = size = 0
    for name, parts in files.items():
        inputs, expect = {}, {}
        for part in parts:
            part(inputs, expect)
        tensors = dict(inputs)
        for k, v in expect.items():
            v = np.asarray(v)
            tensors["expect." + k] = v.astype(np.float32) if v.dtype == float else v
        path = os.path.join(OUT, name + ".safetensors")
        tensorfile.write(path, {k: np.ascontiguousarray(v).reshape(v.shape)
                                for k, v in tensors.items()},
                         {"made_by": "scripts/make_form_numbers.py"})
        count, size = count + len(expect), size + os.path.getsize(path)
    print(f"{count} results in {len(files)} files, {size} bytes")


if __name__ == "__main__":
    main()
