#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""XLA, by JAX, on shapes of adze bench: products, attention, models. Lines of JSON."""
import os

import peer_lines as p

o = p.options(__doc__)
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

RNG = np.random.default_rng(2026)
TYPES = {"f32": jnp.float32, "bf16": jnp.bfloat16}


def draw(shape, dtype=jnp.float32):
    return jnp.asarray(RNG.standard_normal(shape, np.float32) / shape[-1] ** 0.5, dtype)


def norm(x, eps):
    y = x - x.mean(-1, keepdims=True)
    return y * jax.lax.rsqrt((y * y).mean(-1, keepdims=True) + eps)


def rms(x):
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5)


def line(name, run, *args, **parameters):
    fast = jax.jit(run)
    p.line("xla", o, name, lambda: jax.block_until_ready(fast(*args)), **parameters)


def products():
    for kind, dtype in TYPES.items():
        w = None
        for m in p.ROWS:
            if p.wanted(o, f"product_nt_{kind}_{kind}_m{m}"):
                w = draw((p.WIDTH, p.LENGTH), dtype) if w is None else w
                line("product_nt", lambda x, w: x @ w.T, draw((m, p.LENGTH), dtype), w, m=m,
                     n=p.WIDTH, k=p.LENGTH, x=kind, w=kind)


def bert(w, tokens):
    dim, layers, heads, ffn, vocab, places = p.MINILM
    x = norm(w["words"][tokens] + w["places"][:p.SENTENCE], 1e-12)

    def split(y):
        return y.reshape(y.shape[0], y.shape[1], heads, -1).transpose(0, 2, 1, 3)

    for q, k, v, out, up, down in w["layers"]:
        s = jnp.einsum("nhsd,nhtd->nhst", split(x @ q), split(x @ k)) * (dim / heads) ** -0.5
        y = jnp.einsum("nhst,nhtd->nhsd", jax.nn.softmax(s), split(x @ v))
        x = norm(x + y.transpose(0, 2, 1, 3).reshape(x.shape) @ out, 1e-12)
        x = norm(x + jax.nn.gelu(x @ up, approximate=False) @ down, 1e-12)
    return x.mean(1)


def small():
    if p.wanted(o, "perceptron_784_512_10"):
        a, b = draw((784, 512)), draw((512, 10))
        line("perceptron_784_512_10", lambda a, b, x: jax.nn.relu(x @ a) @ b, a, b,
             draw((1, 784)))
    dim, layers, heads, ffn, vocab, places = p.MINILM
    for batch in (1, 8):
        name = f"minilm_batch_{batch}"
        if p.wanted(o, name):
            w = {"words": draw((vocab, dim)), "places": draw((places, dim)),
                 "layers": [[draw((dim, dim)) for _ in range(4)] + [draw((dim, ffn)),
                            draw((ffn, dim))] for _ in range(layers)]}
            line(name, bert, w, jnp.asarray(RNG.integers(0, vocab, (batch, p.SENTENCE))))


def rope(x, at):
    half = x.shape[-1] // 2
    angle = at[:, None] * 10000.0 ** (-jnp.arange(half) / half)
    c, s = jnp.cos(angle).astype(x.dtype), jnp.sin(angle).astype(x.dtype)
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * c - b * s, b * c + a * s], -1)


def llama_call(shape, w, caches, tokens, place):
    dim, layers, heads, kv, ffn, vocab, places = shape
    n, x, made = tokens.shape[0], w["embed"][tokens], []
    at = place + jnp.arange(n)
    seen = jnp.arange(places)[None] <= at[:, None]

    def split(y, count):
        return y.reshape(n, count, dim // heads).transpose(1, 0, 2)

    for (q, k, v, out, gate, up, down), (keys, values) in zip(w["layers"], caches):
        y = rms(x)
        a = rope(split(y @ q.T, heads), at).reshape(kv, heads // kv, n, -1)
        keys = jax.lax.dynamic_update_slice(keys, rope(split(y @ k.T, kv), at), (0, place, 0))
        values = jax.lax.dynamic_update_slice(values, split(y @ v.T, kv), (0, place, 0))
        made.append((keys, values))
        s = jnp.einsum("hgsd,htd->hgst", a, keys) * (dim / heads) ** -0.5
        y = jnp.einsum("hgst,htd->hgsd", jax.nn.softmax(jnp.where(seen, s, -jnp.inf)), values)
        x = x + y.reshape(heads, n, -1).transpose(1, 0, 2).reshape(n, dim) @ out.T
        y = rms(x)
        x = x + (jax.nn.silu(y @ gate.T) * (y @ up.T)) @ down.T
    return rms(x[-1:]) @ w["head"].T, made


def llama():
    for shape, extents in p.LLAMA.items():
        dim, layers, heads, kv, ffn, vocab, places = extents
        wide = dim // heads * kv
        for kind, dtype in TYPES.items():
            lengths = p.llama_wanted(o, shape, kind)
            if not lengths:
                continue
            w = {"embed": draw((vocab, dim), dtype), "head": draw((vocab, dim), dtype),
                 "layers": [[draw(s, dtype) for s in ((dim, dim), (wide, dim), (wide, dim),
                            (dim, dim), (ffn, dim), (ffn, dim), (dim, ffn))]
                            for _ in range(layers)]}
            for n in lengths:
                caches = [tuple(jnp.zeros((kv, places, dim // heads), dtype) for _ in range(2))
                          for _ in range(layers)]
                fast = jax.jit(lambda w, c, t, at: llama_call(extents, w, c, t, at),
                               donate_argnums=1)
                tokens = jnp.asarray(RNG.integers(0, vocab, n))

                def run():
                    nonlocal caches
                    y, caches = fast(w, caches, tokens, p.PLACE if n == 1 else 0)
                    y.block_until_ready()

                p.line("xla", o, p.llama_name(shape, kind, n), run)


products()
small()
llama()
