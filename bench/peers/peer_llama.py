#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""llama.cpp, by llama-cpp-python, on the Llamas of adze bench. Lines of JSON.

Makes GGUF files of random weights, 4.4 GB and less each, in $ADZE_PEER_FILES (else a folder
beside the system's temporary files) once, and keeps them.
"""
import ctypes
import os

import peer_lines as p

o = p.options(__doc__)

import gguf  # noqa: E402
import llama_cpp as c  # noqa: E402
import numpy as np  # noqa: E402

KINDS = {"f32": "F32", "f16": "F16", "bf16": "BF16", "q8_0": "Q8_0", "q4_0": "Q4_0",
         "q4_k": "Q4_K"}
# Where a block has its scales of f16, which random bytes would make infinite.
SCALES = {"Q8_0": (0,), "Q4_0": (0,), "Q4_K": (0, 2)}
RNG = np.random.default_rng(2026)


def draw(kind, shape):
    """Random values of a type, as the bytes of a GGUF file."""
    rows, columns = shape
    if kind in SCALES:
        n, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
        blocks = RNG.integers(0, 256, (rows * columns // n, size), np.uint8)
        for at in SCALES[kind]:
            blocks[:, at:at + 2] = np.frombuffer(np.float16(0.002).tobytes(), np.uint8)
        return blocks.reshape(rows, -1)
    x = RNG.random((rows, columns), np.float32) / 16 - 1 / 32
    if kind == "BF16":
        return (x.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
    return x.astype(np.float16 if kind == "F16" else np.float32)


def make_file(shape, kind):
    dim, layers, heads, kv, ffn, vocab, places = p.LLAMA[shape]
    path = os.path.join(p.FILES, f"{shape}-{kind}.gguf")
    if os.path.exists(path):
        return path
    os.makedirs(p.FILES, exist_ok=True)
    w = gguf.GGUFWriter(path + ".part", "llama")
    w.add_block_count(layers)
    w.add_context_length(places)
    w.add_embedding_length(dim)
    w.add_feed_forward_length(ffn)
    w.add_head_count(heads)
    w.add_head_count_kv(kv)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_rope_dimension_count(dim // heads)
    w.add_vocab_size(vocab)
    w.add_tokenizer_model("no_vocab")
    made = {}

    def add(name, *extents):
        # Tensors of one shape share their bytes: what they hold does not change the time.
        if extents not in made:
            made[extents] = (draw(KINDS[kind], extents) if len(extents) == 2
                             else np.ones(extents, np.float32))
        raw = gguf.GGMLQuantizationType[KINDS[kind]] if len(extents) == 2 else None
        w.add_tensor(name, made[extents], raw_dtype=raw)

    add("token_embd.weight", vocab, dim)
    add("output.weight", vocab, dim)
    add("output_norm.weight", dim)
    wide = dim // heads * kv
    for i in range(layers):
        for name, extents in (("attn_norm", (dim,)), ("ffn_norm", (dim,)),
                              ("attn_q", (dim, dim)), ("attn_k", (wide, dim)),
                              ("attn_v", (wide, dim)), ("attn_output", (dim, dim)),
                              ("ffn_gate", (ffn, dim)), ("ffn_up", (ffn, dim)),
                              ("ffn_down", (dim, ffn))):
            add(f"blk.{i}.{name}.weight", *extents)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    os.replace(path + ".part", path)
    return path


def open_model(path):
    m = c.llama_model_default_params()
    model = c.llama_model_load_from_file(path.encode(), m)
    k = c.llama_context_default_params()
    k.n_ctx, k.n_batch, k.n_ubatch = 1024, 512, 512
    k.n_threads = k.n_threads_batch = o.threads
    k.no_perf = True
    return model, c.llama_init_from_model(model, k)


def bench(shape, kind, lengths):
    vocab = p.LLAMA[shape][5]
    model, context = open_model(make_file(shape, kind))
    memory = c.llama_get_memory(context)

    def decode(n):
        tokens = (c.llama_token * n)(*(int(t) for t in RNG.integers(0, vocab, n)))
        if c.llama_decode(context, c.llama_batch_get_one(tokens, n)) != 0:
            raise RuntimeError("llama_decode failed")

    for n in lengths:
        c.llama_memory_clear(memory, False)
        if n == 1:
            decode(p.PLACE)

        def run():
            c.llama_memory_seq_rm(memory, 0, p.PLACE if n == 1 else 0, -1)
            decode(n)
            c.llama_synchronize(context)

        p.line("llama.cpp", o, p.llama_name(shape, kind, n), run)
    c.llama_free(context)
    c.llama_model_free(model)


@c.llama_log_callback
def quiet(level, text, data):
    pass


c.llama_log_set(quiet, ctypes.c_void_p(0))
c.llama_backend_init()
for shape in p.LLAMA:
    for kind in KINDS:
        lengths = p.llama_wanted(o, shape, kind)
        if lengths:
            bench(shape, kind, lengths)
