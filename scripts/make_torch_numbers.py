#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/torch: graphs, inputs and what PyTorch says of rows, activations, sums,
attention.

Needs, from PyPI and on Python 3.11 or later: torch==2.15.0 ml_dtypes==0.6.0 and
make_jax_numbers.py's jax, whose tensors are used. PyTorch's CPU kernels in f64, rounded once to
the type, so that the tolerance of a file is the library's own error. opcase.py says what a file
holds.
"""
import os
import sys
import zlib

os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np
import torch
import torch.nn.functional as F

from jax_tensors import DTYPE, FLOATS, Numbers, of, some
from opcase import Case

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "data", "torch")
# An error of f32 in the middle of a row, and one rounding of the narrow types.
ROWS = {"f64": "rel:1e-13 abs:1e-13", "f32": "rel:4e-6 abs:2e-6"}
ACTIVATIONS = {"relu": F.relu, "silu": F.silu, "gelu": F.gelu, "logistic": torch.sigmoid,
               "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "erf": torch.erf,
               "tanh": torch.tanh, "expm1": torch.expm1, "log1p": torch.log1p,
               "rsqrt": torch.rsqrt, "erf_inv": torch.erfinv}


def given(x):
    return torch.tensor(x.values().reshape(x.array.shape))


def cut(y, kind):
    return Numbers(y.numpy().astype(DTYPE[kind]))


def rows_case(name, rng, kind):
    """Of numbers that f32 holds well: rows of f8e8m0fnu have no mean of 0."""
    case = Case(name, ROWS.get(kind, "ulp:1"))
    x, scale, bias = (some(rng, kind, *s) for s in ((2, 3, 19), (19,), (19,)))
    for word, v in (("x", x), ("scale", scale), ("bias", bias)):
        case.input(word, v)
    u, s, b = map(given, (x, scale, bias))
    for axis in (0, 1, 2):
        case.op(f"softmax_{axis}", "softmax", ["x"], cut(F.softmax(u, axis), kind), axis=axis)
    for word, args in (("norm", []), ("norm_s", [s]), ("norm_sb", [s, b])):
        names = ["x", "scale", "bias"][:1 + len(args)]
        y = F.layer_norm(u, (19,), *args, eps=0.0078125)
        case.op(f"layer_{word}", "layer_norm", names, cut(y, kind), eps=0.0078125)
    for word, args in (("norm", []), ("norm_s", [s])):
        names = ["x", "scale"][:1 + len(args)]
        y = F.rms_norm(u, (19,), *args, eps=0.0078125)
        case.op(f"rms_{word}", "rms_norm", names, cut(y, kind), eps=0.0078125)
    return case


def activation_case(name, _, kind):
    """1 + what tends to -1: errors near 0 are those of f32, which bf16 shows too. gelu of -inf is
    left out: PyTorch makes NaN of it."""
    tolerance = {"f64": "rel:1e-13 abs:1e-15", "f32": "rel:4e-6 abs:1e-6",
                 "bf16": "rel:8e-3 abs:1e-6"}.get(kind, "ulp:1")
    case = Case(name, tolerance)
    v = np.concatenate([np.linspace(-6, 6, 41), [0.875, -0.875, 1e-3, 30, -30, 100, np.inf,
                                                 np.nan]])
    x = of(v[v > 0] if kind == "f8e8m0fnu" else v, kind)
    case.input("x", x)
    for f, function in ACTIVATIONS.items():
        case.op(f, f, ["x"], cut(function(given(x)), kind))
    return case


def sum_case(name, rng, kind):
    case = Case(name, {"f64": "rel:1e-12 abs:1e-12", "f32": "rel:2e-5 abs:2e-5"}[kind])
    x, w = some(rng, kind, 2, 4, 7, 6), some(rng, kind, 6, 2, 3, 2)
    a, b = some(rng, kind, 3, 5, 33), some(rng, kind, 3, 33, 4)
    for word, v in (("x", x), ("w", w), ("a", a), ("b", b)):
        case.input(word, v)
    y = F.conv2d(given(x), given(w), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2)
    case.op("conv", "conv", ["x", "w"], cut(y, kind), stride=[2, 1], low=[1, 2], high=[1, 2],
            dilation=[1, 2], groups=2)
    case.op("dot", "dot", ["a", "b"], cut(given(a) @ given(b), kind), batch_a=[0], batch_b=[0],
            sum_a=[2], sum_b=[1])
    case.op("cumulative", "cumulative", ["a"], cut(given(a).cumsum(2), kind), by="add", axis=2)
    y = F.max_pool2d(given(x), (3, 2), (2, 1), (1, 1))
    case.op("pool", "reduce_window", ["x"], cut(y, kind), by="max", window=[1, 1, 3, 2],
            stride=[1, 1, 2, 1], low=[0, 0, 1, 1], high=[0, 0, 1, 1])
    return case


def attention_case(name, rng, kind):
    """With a scale and a mask that is added, causal, and grouped heads as rows of queries."""
    case = Case(name, "rel:1e-5 abs:2e-6")
    q, k, v, mask = (some(rng, kind, *s) for s in ((2, 4, 5, 8), (2, 4, 7, 8), (2, 4, 7, 6),
                                                   (2, 4, 5, 7)))
    grouped = some(rng, kind, 2, 4, 3, 5, 8)
    for word, x in (("q", q), ("k", k), ("v", v), ("mask", mask), ("grouped", grouped)):
        case.input(word, x)
    case.body(f"added(%a: {kind}[], %b: {kind}[]) {{ %1 = const {{0.25}} : {kind}[] "
              "%2 = mul %a, %1 %3 = add %2, %b return r=%3 }")
    case.body(f"plain(%a: {kind}[]) {{ %1 = const {{0.25}} : {kind}[] %2 = mul %a, %1 "
              "return r=%2 }")
    u = [given(x) for x in (q, k, v)]
    y = F.scaled_dot_product_attention(*u, attn_mask=given(mask), scale=0.25)
    case.op("added", "attention", ["q", "k", "v", "mask"], cut(y, kind), batch=2, body="added")
    y = F.scaled_dot_product_attention(*u, scale=0.25)
    case.op("plain", "attention", ["q", "k", "v"], cut(y, kind), batch=2, body="plain")
    g = given(grouped)
    y = F.scaled_dot_product_attention(g, u[1][:, :, None].expand(-1, -1, 3, -1, -1),
                                       u[2][:, :, None].expand(-1, -1, 3, -1, -1), scale=0.25)
    case.op("grouped", "attention", ["grouped", "k", "v"], cut(y, kind), batch=2, body="plain")
    return case


PARTS = [("attention", attention_case, ["f32"]), ("rows", rows_case, FLOATS), ("activation", activation_case, FLOATS),
         ("sums", sum_case, ["f32", "f64"])]


def main():
    os.makedirs(OUT, exist_ok=True)
    outputs = size = 0
    for prefix, make, kinds in PARTS:
        for name, kind in ((f"{prefix}_{kind}", kind) for kind in kinds):
            case = make(name, np.random.RandomState(zlib.crc32(name.encode())), kind)
            case.write(OUT, f"scripts/make_torch_numbers.py, torch {torch.__version__}")
            outputs += len(case.expect)
            size += os.path.getsize(os.path.join(OUT, name + ".safetensors"))
    print(f"{outputs} outputs, {size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
