#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch on the shapes of adze bench: products, attention, models. Lines of JSON."""
import peer_lines as p

o = p.options(__doc__)

import torch  # noqa: E402  (threads are set before)
import torch.nn.functional as F  # noqa: E402

import peer_torch_nets as nets  # noqa: E402

torch.set_num_threads(o.threads)
torch.manual_seed(2026)
TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def products():
    for kind, dtype in TYPES.items():
        w = None
        for m in p.ROWS:
            # Ours takes x as f32 with weights of f16, and as bf16 with those of bf16.
            x_kind = "f32" if kind == "f16" else kind
            if not p.wanted(o, f"product_nt_{x_kind}_{kind}_m{m}"):
                continue
            w = torch.randn(p.WIDTH, p.LENGTH).to(dtype) if w is None else w
            x = torch.randn(m, p.LENGTH).to(dtype)
            p.line("torch", o, "product_nt", lambda: F.linear(x, w), m=m, n=p.WIDTH,
                   k=p.LENGTH, x=x_kind, w=kind)


def attention():
    if p.wanted(o, "attention"):
        q, k, v = (torch.randn(1, 32, 2048, 64) for _ in range(3))
        p.line("torch", o, "attention",
               lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True), heads=32,
               rows=2048, keys=2048, width=64, causal=True)


def small():
    for name, make, data in nets.SMALL:
        if not p.wanted(o, name):
            continue
        model, x = nets.shrink(make()), data()
        p.line("torch", o, name, lambda: model(x))
        try:
            fast = torch.jit.optimize_for_inference(torch.jit.trace(model, x))
            p.line("torch-jit", o, name, lambda: fast(x))
        except Exception as error:
            p.failed("torch-jit", name, error)


def llama():
    for shape in p.LLAMA:
        for kind, dtype in TYPES.items():
            lengths = p.llama_wanted(o, shape, kind)
            if not lengths:
                continue
            torch.set_default_dtype(dtype)
            model = nets.shrink(nets.Llama(p.LLAMA[shape]))
            torch.set_default_dtype(torch.float32)
            for n in lengths:
                tokens = torch.randint(0, p.LLAMA[shape][5], (n,))
                place = p.PLACE if n == 1 else 0
                p.line("torch", o, p.llama_name(shape, kind, n), lambda: model(tokens, place))
            del model


with torch.inference_mode():
    products()
    attention()
    small()
    llama()
