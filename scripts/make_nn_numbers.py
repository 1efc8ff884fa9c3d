#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/nn: inputs of layers, and what PyTorch and transformers say of them.

Needs torch 2.15.0 (the CPU is enough), transformers 5.23.0 and numpy 2.4.6 from PyPI, of
which nothing is loaded from a hub. Inputs are f32; PyTorch works on them in f64 and the result
is rounded once, but for those functions of transformers that work in f32 by themselves.
tests/nn_test.c has the call for each `expect.NAME`.
"""
import os
import zlib

import numpy as np
import torch
import torch.nn.functional as F
from transformers import PretrainedConfig
from transformers.generation.logits_process import (
    MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper,
    TopKLogitsWarper, TopPLogitsWarper)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.deepseek_v3 import DeepseekV3Config
from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3TopkRouter
from transformers.models.qwen3_5 import Qwen3_5TextConfig
from transformers.models.qwen3_5.modeling_qwen3_5 import Qwen3_5GatedDeltaNet
from transformers.models.qwen3_next.modeling_qwen3_next import (
    torch_chunk_gated_delta_rule, torch_recurrent_gated_delta_rule)

import tensorfile

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "data", "nn")
RNG = np.random.RandomState()


def draw(*shape):
    return RNG.normal(0, 1, shape).astype(np.float32)


def wide(x):
    """A NumPy array as PyTorch's, floats in double."""
    t = torch.from_numpy(np.array(x))
    return t.double() if t.is_floating_point() else t


class Case:
    """The inputs and results of one file."""

    def __init__(self):
        self.tensors = {}

    def add(self, **arrays):
        """Inputs, under their names; as PyTorch has them, in their order."""
        self.tensors |= arrays
        return [wide(a) for a in arrays.values()]

    def expect(self, name, y):
        y = y.detach().numpy() if torch.is_tensor(y) else np.asarray(y)
        kinds = {"float64": np.float32, "int64": np.int32}
        self.tensors["expect." + name] = y.astype(kinds.get(y.dtype.name, y.dtype))


# ---- linear, embedding, convolution ----

def linear_case(c):
    x, w, b = c.add(x=draw(3, 2, 8), w=draw(6, 8), b=draw(6))
    c.expect("linear", F.linear(x, w, b))
    c.expect("linear_plain", F.linear(x, w))
    q = RNG.randint(-127, 128, (6, 8)).astype(np.int8)
    rows, blocks = RNG.rand(6).astype(np.float32) / 64, RNG.rand(3, 2).astype(np.float32) / 64
    q, rows, blocks, one = c.add(q=q, rows=rows, blocks=blocks, one=np.float32([0.0078]))
    q = q.double()
    c.expect("scaled_rows", F.linear(x, q * rows[:, None], b))
    c.expect("scaled_one", F.linear(x, q * one))
    spread = blocks.repeat_interleave(2, 0).repeat_interleave(4, 1)
    c.expect("scaled_blocks", F.linear(x, q * spread, b))
    narrow = F.linear(x, (w.float() / 4).to(torch.float8_e4m3fn).double() * spread, b)
    c.expect("scaled_narrow", narrow)
    ids, table = c.add(ids=np.int64([[3, 0, 5], [1, 1, 2]]), table=draw(6, 4))
    c.expect("embedding", F.embedding(ids, table))
    gate, up, down, m = c.add(gate=draw(12, 8), up=draw(12, 8), down=draw(8, 12), m=draw(5, 8))
    c.expect("mlp", F.linear(F.silu(F.linear(m, gate)) * F.linear(m, up), down))
    c.expect("mlp_gelu", F.linear(F.gelu(F.linear(m, gate), approximate="tanh")
                                  * F.linear(m, up), down))


def conv_case(c):
    line, image, cube = c.add(line=draw(2, 4, 9), image=draw(2, 4, 6, 8), cube=draw(1, 2, 4, 5, 4))
    w1, w2, w3 = c.add(w1=draw(6, 2, 3), w2=draw(6, 4, 3, 2), w3=draw(3, 2, 2, 3, 2))
    b6, b3 = c.add(b6=draw(6), b3=draw(3))
    c.expect("conv1", F.conv1d(line, w1, b6, stride=2, padding=2, dilation=2, groups=2))
    c.expect("conv2", F.conv2d(image, w2, b6, stride=(1, 2), padding=(1, 0)))
    c.expect("conv3", F.conv3d(cube, w3, b3, padding=(0, 1, 1)))
    t1, t2 = c.add(t1=draw(4, 3, 3), t2=draw(4, 3, 3, 2))
    c.expect("transpose1", F.conv_transpose1d(line, t1, b3, stride=3, padding=1))
    c.expect("transpose2", F.conv_transpose2d(image, t2, b6, stride=(2, 1), padding=(1, 0),
                                              groups=2))


# ---- norms and activations ----

def norm_case(c):
    x, w6, b6 = c.add(x=draw(2, 6, 3, 4), w6=draw(6), b6=draw(6))
    mean, var = c.add(mean=draw(6), var=(RNG.rand(6) + 0.5).astype(np.float32))
    w4, b4 = c.add(w4=draw(4), b4=draw(4))
    c.expect("layer_norm", F.layer_norm(x, (4,), w4, b4, 1e-5))
    c.expect("layer_norm_plain", F.layer_norm(x, (4,), None, None, 1e-3))
    c.expect("layer_norm_bias", F.layer_norm(x, (4,), None, b4, 1e-3))
    c.expect("rms_norm", F.rms_norm(x, (4,), w4, 1e-6))
    c.expect("rms_norm_bias", F.rms_norm(x, (4,), w4, 1e-6) + b4)
    c.expect("group_norm", F.group_norm(x, 3, w6, b6, 1e-5))
    c.expect("instance_norm", F.instance_norm(x, weight=w6, bias=b6, eps=1e-5))
    c.expect("instance_norm_plain", F.instance_norm(x, eps=1e-5))
    c.expect("batch_norm", F.batch_norm(x, mean, var, w6, b6, eps=1e-3))
    c.expect("batch_norm_plain", F.batch_norm(x, mean, var, eps=1e-3))
    centre = x - x.mean((1, 3), keepdim=True)
    c.expect("variance", centre / torch.sqrt((centre ** 2).mean((1, 3), keepdim=True) + 1e-3))
    c.expect("l2", x / torch.sqrt((x * x).sum(2, keepdim=True) + 1e-2))


def activation_case(c):
    x, = c.add(x=np.concatenate([draw(24) * 3, np.float32([0, -0.0, 40, -40, 3, -3])]))
    soft = 1 / (1 + torch.exp(-1.702 * x))
    for name, y in {"relu": F.relu(x), "relu2": F.relu(x) ** 2, "leaky_relu": F.leaky_relu(x),
                    "elu": F.elu(x), "selu": F.selu(x), "celu": F.celu(x), "silu": F.silu(x),
                    "gelu": F.gelu(x), "gelu_new": F.gelu(x, approximate="tanh"),
                    "quick_gelu": x * soft, "sigmoid": F.sigmoid(x), "tanh": torch.tanh(x),
                    "hardsigmoid": F.hardsigmoid(x), "hardswish": F.hardswish(x),
                    "softplus": F.softplus(x), "softsign": F.softsign(x), "mish": F.mish(x),
                    "linear": x}.items():
        c.expect(name, y)


def cell_case(c):
    x, h, s = c.add(x=draw(2, 5), h=draw(2, 3), s=draw(2, 3))
    wx, wh, bx, bh = c.add(wx=draw(12, 5), wh=draw(12, 3), bx=draw(12), bh=draw(12))
    lstm, gru = torch.nn.LSTMCell(5, 3).double(), torch.nn.GRUCell(5, 3).double()
    for cell, n in ((lstm, 12), (gru, 9)):
        for name, v in (("weight_ih", wx), ("weight_hh", wh), ("bias_ih", bx), ("bias_hh", bh)):
            getattr(cell, name).data = v[:n].clone()
    nh, nc = lstm(x, (h, s))
    c.expect("lstm_h", nh)
    c.expect("lstm_c", nc)
    c.expect("gru", gru(x, h))
    line, = c.add(line=draw(2, 7, 5))
    for back in (False, True):
        seen = line.flip(1) if back else line
        for cell, n, kind in ((lstm, 4, torch.nn.LSTM), (gru, 3, torch.nn.GRU)):
            whole = kind(5, 3, batch_first=True).double()
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(whole, name + "_l0").data = getattr(cell, name).data
            start = (h[None], s[None]) if kind is torch.nn.LSTM else h[None]
            y, last = whole(seen, start)
            name = kind.__name__.lower() + ("_back" if back else "_along")
            c.expect(name, y.flip(1) if back else y)
            last = last if kind is torch.nn.LSTM else (last,)
            c.expect(name + "_h", last[0][0])
            if len(last) == 2:
                c.expect(name + "_c", last[1][0])


# ---- attention ----

def attend(q, k, v, see=None, cap=0.0, sinks=None, scale=None):
    """The eager form of gpt-oss and Gemma 2: soft cap, mask, a sink beside the keys."""
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    p = q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    p = torch.tanh(p / cap) * cap if cap else p
    p = p if see is None else p.masked_fill(~see, -torch.inf)
    if sinks is not None:
        p = torch.cat([p, sinks[None, :, None, None].expand(*p.shape[:3], 1)], -1)
    p = torch.softmax(p, -1)
    return p[..., :k.shape[2]] @ v


def attention_case(c):
    q, k, v = c.add(q=draw(2, 4, 3, 8), k=draw(2, 2, 7, 8), v=draw(2, 2, 7, 6))
    flag = RNG.rand(2, 1, 3, 7) < 0.5
    flag[1, 0, 2] = False
    add = draw(4, 3, 7)
    add[:, :, 5:] = -np.inf
    add[2, 1] = -np.inf
    flag, add, sinks = c.add(flag=flag, add=add, sinks=draw(4))
    sdpa = {"enable_gqa": True}
    i, j = torch.arange(3)[:, None], torch.arange(7)
    c.expect("plain", F.scaled_dot_product_attention(q, k, v, **sdpa))
    c.expect("scale", F.scaled_dot_product_attention(q, k, v, scale=0.3, **sdpa))
    c.expect("one_head", F.scaled_dot_product_attention(q[:, :1], k[:, :1], v[:, :1]))
    flagged = F.scaled_dot_product_attention(q, k, v, flag, **sdpa)
    added = F.scaled_dot_product_attention(q, k, v, add, **sdpa)
    # What sees nothing is 0 here, whatever a version of PyTorch makes of it.
    flagged[1, :, 2] = 0
    added[:, 2, 1] = 0
    c.expect("flagged", flagged)
    c.expect("added", added)
    c.expect("causal", F.scaled_dot_product_attention(q, k, v, j <= i + 4, **sdpa))
    c.expect("cached", F.scaled_dot_product_attention(q, k, v, j <= i + 2, **sdpa))
    first, = c.add(first=np.int32([4, 1]))
    each = j <= i + first[:, None, None, None]
    c.expect("each", F.scaled_dot_product_attention(q, k, v, each, **sdpa))
    c.expect("window", attend(q, k, v, (j <= i + 4) & (j > i + 4 - 3)))
    c.expect("cap", attend(q, k, v, j <= i + 4, cap=1.5))
    c.expect("sunk", attend(q, k, v, (j <= i + 4) & (j > i + 4 - 2), sinks=sinks))


# ---- rotary positions ----

def turned(x, places, freq, layout, scale=1.0):
    """x [b, s, h, d], pair i of each row turned by places * freq[i], as complex numbers."""
    d, n = x.shape[-1], len(freq)
    pair = {"halves": lambda i: (i, n + i), "pairs": lambda i: (2 * i, 2 * i + 1),
            "spread": lambda i: (i, d // 2 + i)}[layout]
    y = x.clone()
    for i in range(n):
        a, b = pair(i)
        angle = places.double() * float(freq[i])
        angle = angle.reshape(angle.shape + (1,)).expand(x.shape[:3])
        y[..., a] = (x[..., a] * torch.cos(angle) - x[..., b] * torch.sin(angle)) * scale
        y[..., b] = (x[..., b] * torch.cos(angle) + x[..., a] * torch.sin(angle)) * scale
    return y


def paces(kind, d, theta=10000.0, seq=None, most=64, share=1.0, **more):
    rope = {"rope_type": kind, "rope_theta": theta, "partial_rotary_factor": share} | more
    config = PretrainedConfig(head_dim=d, hidden_size=d, num_attention_heads=1,
                              max_position_embeddings=most, rope_parameters=rope)
    freq, scale = ROPE_INIT_FUNCTIONS[kind](config, torch.device("cpu"), seq_len=seq)
    return freq.double(), float(scale)


def rope_case(c):
    x, = c.add(x=draw(2, 5, 2, 16))
    at, = c.add(at=np.int32([0, 1, 7, 40, 63]))
    far, = c.add(far=np.int64([[0, 1, 2, 3, 4], [99, 98, 61, 60, 90]]))
    plain = 10000.0 ** (-torch.arange(8).double() / 8)
    part = 500.0 ** (-torch.arange(4).double() / 4)
    c.expect("halves", turned(x, at, plain, "halves"))
    c.expect("pairs", turned(x, far, plain, "pairs"))
    c.expect("halves_part", turned(x, far, part, "halves"))
    c.expect("pairs_part", turned(x, at, part, "pairs"))
    c.expect("spread_part", turned(x, at, part, "spread"))
    freq, scale = paces("linear", 16, factor=4.0)
    c.expect("linear", turned(x, far, freq, "halves", scale))
    for name, places in (("dynamic_near", at), ("dynamic_far", far)):
        freq, scale = paces("dynamic", 16, factor=3.0, seq=int(places.max()) + 1)
        c.expect(name, turned(x, places, freq, "halves", scale))
    freq, scale = paces("llama3", 16, theta=500.0, factor=8.0, low_freq_factor=1.0,
                        high_freq_factor=4.0, original_max_position_embeddings=256)
    c.expect("llama3", turned(x, far, freq, "halves", scale))
    yarn = {"factor": 4.0, "original_max_position_embeddings": 64}
    freq, scale = paces("yarn", 16, theta=1000.0, **yarn)
    c.expect("yarn", turned(x, far, freq, "halves", scale))
    freq, scale = paces("yarn", 16, beta_fast=8.0, beta_slow=2.0, truncate=False, **yarn)
    c.expect("yarn_exact", turned(x, far, freq, "halves", scale))
    freq, scale = paces("yarn", 16, mscale=0.7, mscale_all_dim=1.4, **yarn)
    c.expect("yarn_mscale", turned(x, far, freq, "pairs", scale))
    short, long = np.linspace(1, 2, 8).tolist(), np.linspace(1, 20, 8).tolist()
    longrope = {"short_factor": short, "long_factor": long, "factor": 8.0,
                "original_max_position_embeddings": 64}
    for name, places in (("long_near", at), ("long_far", far)):
        freq, scale = paces("longrope", 16, seq=int(places.max()) + 1, **longrope)
        c.expect(name, turned(x, places, freq, "halves", scale))
    freq, scale = paces("proportional", 16, share=0.5, factor=2.0)
    c.expect("proportional", turned(x, far, freq, "halves", scale))


# ---- mixtures of experts ----

def chosen_as_dense(w, i, n):
    return torch.zeros(i.shape[:-1] + (n,), dtype=w.dtype).scatter(-1, i, w)


def experts(x, weights, gate_up, down):
    y = torch.zeros_like(x)
    for e in range(len(gate_up)):
        gate, up = F.linear(x, gate_up[e]).chunk(2, -1)
        y += weights[..., e:e + 1] * F.linear(F.silu(gate) * up, down[e])
    return y


def moe_case(c):
    logits, bias = c.add(logits=draw(3, 2, 8) * 2, bias=draw(8))
    config = DeepseekV3Config(num_experts_per_tok=3, num_local_experts=8, n_routed_experts=8,
                              hidden_size=8, routed_scaling_factor=2.5, n_group=4, topk_group=2)
    soft = torch.softmax(logits, -1)
    top = torch.topk(soft, 3, dim=-1)
    c.expect("soft", chosen_as_dense(top.values, top.indices, 8))
    w = top.values / top.values.sum(-1, keepdim=True)
    c.expect("soft_normal", chosen_as_dense(w, top.indices, 8))
    c.expect("chosen_weights", w)
    c.expect("chosen_indices", top.indices)
    router = DeepseekV3TopkRouter(config)
    router.weight.data, router.e_score_correction_bias = torch.eye(8), bias.float()
    _, w, i = router(logits.float())
    c.expect("grouped", chosen_as_dense(w, i, 8).reshape(3, 2, 8))
    scores = torch.sigmoid(logits)
    i = torch.topk(scores + bias, 3, dim=-1).indices
    c.expect("biased", chosen_as_dense(scores.gather(-1, i), i, 8))
    x, up, down = c.add(x=draw(3, 2, 6), up=draw(8, 8, 6), down=draw(8, 6, 4))
    w = top.values / top.values.sum(-1, keepdim=True)
    c.expect("experts", experts(x, chosen_as_dense(w, top.indices, 8), up, down))
    c.expect("experts_chosen", experts(x, chosen_as_dense(w, top.indices, 8), up, down))


# ---- gated delta nets ----

def delta_steps(q, k, v, g, beta, state, unit):
    """[b, h, s, d] in double: what transformers' recurrent form says in float."""
    q, k = (x.repeat_interleave(v.shape[1] // x.shape[1], 1) for x in (q, k))
    if unit:
        q, k = (x * torch.rsqrt((x * x).sum(-1, keepdim=True) + 1e-6) for x in (q, k))
    y = torch.zeros_like(v)
    for t in range(q.shape[2]):
        state = state * g[:, :, t, None, None].exp()
        delta = (v[:, :, t] - (state * k[:, :, t, :, None]).sum(-2)) * beta[:, :, t, None]
        state = state + k[:, :, t, :, None] * delta[:, :, None]
        y[:, :, t] = (state * q[:, :, t, :, None]).sum(-2) / q.shape[-1] ** 0.5
    return y, state


def delta_case(c):
    q, k, v, state = c.add(q=draw(2, 2, 11, 8), k=draw(2, 2, 11, 8), v=draw(2, 4, 11, 6),
                           state=draw(2, 4, 8, 6))
    a, b = c.add(a=draw(2, 4, 11), b=draw(2, 4, 11))
    log, dt = c.add(log=draw(4), dt=draw(4))
    g = -log.exp()[:, None] * F.softplus(a + dt[:, None])
    beta = torch.sigmoid(b)
    c.expect("decay", g.transpose(1, 2))
    y, last = delta_steps(q, k, v, g, beta, state, True)
    # transformers has the same, of [b, s, h, d] and in f32.
    args = [x.transpose(1, 2).float() for x in (q, k, v, g, beta)]
    for other in (torch_recurrent_gated_delta_rule, torch_chunk_gated_delta_rule):
        with_chunks = {"chunk_size": 4} if other is torch_chunk_gated_delta_rule else {}
        theirs, end = other(*args, initial_state=state.float(), output_final_state=True,
                            use_qk_l2norm_in_kernel=True, **with_chunks)
        assert torch.allclose(theirs.transpose(1, 2).double(), y, atol=1e-5)
        assert torch.allclose(end.double(), last, atol=1e-5)
    c.add(g=g.numpy().astype(np.float32))
    for name in ("step", "four", "eight", "one", "symbol"):
        c.expect(name, y)
        c.expect(name + "_state", last)
    y, last = delta_steps(*(a[:, :, :1] for a in (q, k, v, g, beta)), state, True)
    c.expect("first", y)
    c.expect("first_state", last)
    y, last = delta_steps(q * 0.3, k * 0.3, v, g, beta, torch.zeros_like(state), False)
    c.expect("plain", y)
    c.expect("plain_state", last)
    x, w, bias, before = c.add(x=draw(2, 6, 5), w=draw(6, 1, 4), bias=draw(6),
                               before=draw(2, 6, 3))
    c.expect("conv", F.conv1d(F.pad(x, (3, 0)), w, bias, groups=6))
    both = torch.cat([before, x], -1)
    c.expect("conv_on", F.conv1d(both, w, groups=6))
    c.expect("conv_state", both[..., -3:])


def delta_net_case(c):
    config = Qwen3_5TextConfig(hidden_size=8, linear_num_value_heads=4, linear_num_key_heads=2,
                               linear_key_head_dim=6, linear_value_head_dim=5,
                               linear_conv_kernel_dim=4, rms_norm_eps=1e-6, hidden_act="silu",
                               layer_types=["linear_attention"], num_hidden_layers=1)
    net = Qwen3_5GatedDeltaNet(config, 0)
    for name, p in net.named_parameters():
        v = draw(*p.shape) * 0.5
        p.data = torch.from_numpy(v)
        c.add(**{name: v})
    x, = c.add(x=draw(2, 7, 8))
    y = net(x.float())
    c.expect("whole", y)
    c.expect("before", y[:, :4])
    c.expect("behind", y[:, 4:])


# ---- from logits to tokens ----

def threefry(key, a, b):
    """Threefry-2x32 of 20 rounds in whole numbers: both words."""
    mask, turn = 2 ** 32 - 1, (13, 15, 26, 6, 17, 29, 16, 24)
    k = [key & mask, key >> 32]
    k.append(k[0] ^ k[1] ^ 0x1BD11BDA)
    a, b = (a + k[0]) & mask, (b + k[1]) & mask
    for i in range(20):
        a = (a + b) & mask
        b = ((b << turn[i % 8] | b >> (32 - turn[i % 8])) & mask) ^ a
        if i % 4 == 3:
            n = i // 4 + 1
            a, b = (a + k[n % 3]) & mask, (b + k[(n + 1) % 3] + n) & mask
    return a, b


# Known answers of the Random123 library.
assert threefry(0, 0, 0) == (0x6b200159, 0x99ba4efe)
assert threefry(2 ** 64 - 1, 2 ** 32 - 1, 2 ** 32 - 1) == (0x1cb996fc, 0xbb002be7)
assert threefry(0x0370734413198a2e, 0x243f6a88, 0x85a308d3) == (0xc4923a9c, 0x483df7a0)


def gumbel(seed, step, n):
    u = np.array([((threefry(seed, t, step)[0] >> 9) + 0.5) * 2.0 ** -23 for t in range(n)])
    return torch.from_numpy(-np.log(-np.log(u)))


def filtered(z, temperature=None, top_k=None, top_p=None, min_p=None):
    """A row by transformers' own processors."""
    z, none = z[None].float(), torch.zeros((1, 0), dtype=torch.long)
    for setting, warper in ((temperature, TemperatureLogitsWarper), (top_k, TopKLogitsWarper),
                            (top_p, TopPLogitsWarper), (min_p, MinPLogitsWarper)):
        if setting is not None:
            z = warper(setting)(none, z)
    return z[0].double()


def sample_case(c):
    rows, n = 4, 50
    z, = c.add(z=(draw(rows, n) * 3).astype(np.float32))
    t, k, p, m = c.add(t=np.float32([0.5, 1.5, 1, 2]), k=np.int32([5, 0, 20, 1]),
                       p=np.float32([0.9, 0.5, 1, 0.2]), m=np.float32([0.05, 0, 0.3, 0.01]))
    c.expect("warm", torch.stack([filtered(z[i], float(t[i])) for i in range(rows)]))
    c.expect("top_k", torch.stack([filtered(z[i], top_k=int(k[i]) or None)
                                   for i in range(rows)]))
    c.expect("top_p", torch.stack([filtered(z[i], top_p=float(p[i])) for i in range(rows)]))
    c.expect("min_p", torch.stack([filtered(z[i], min_p=float(m[i])) for i in range(rows)]))
    both = torch.stack([filtered(z[i], float(t[i]), int(k[i]) or None, float(p[i]), float(m[i]))
                        for i in range(rows)])
    c.expect("all", both)
    c.expect("greedy", z.argmax(-1))
    seed, step = c.add(seed=np.uint64([7, 7, 2 ** 40 + 3, 123456789]),
                       step=np.int32([0, 1, 0, 1000]))
    seed, step = [7, 7, 2 ** 40 + 3, 123456789], [0, 1, 0, 1000]
    draws = torch.stack([gumbel(a, b, n) for a, b in zip(seed, step)])
    c.expect("plain", (z + draws).argmax(-1))
    c.expect("sampled", (both + draws).argmax(-1))
    c.expect("cold", torch.stack([z[0].argmax(), (z[1] + draws[1]).argmax(),
                                  z[2].argmax(), (z[3] / 2 + draws[3]).argmax()]))
    c.add(cold_t=np.float32([0, 1, 0, 2]))
    ids = torch.from_numpy(RNG.randint(0, n, (rows, 12)))
    counts = torch.stack([torch.bincount(row, minlength=n) for row in ids])
    tokens, before = c.add(tokens=ids.numpy(), before=RNG.randint(0, 3, (rows, n))
                           .astype(np.int32))
    c.add(next=np.int32([3, -1, 49, 50]))
    c.expect("counted", before + counts)
    after = before.clone()
    after[0, 3] += 1
    after[2, 49] += 1
    c.expect("counted_next", after)
    rep, pre, freq = c.add(rep=np.float32([1.3, 1, 2, 0.8]), pre=np.float32([0.5, 0, 1, 2]),
                           freq=np.float32([0.1, 0.7, 0, 0.3]))
    c.expect("repeated", torch.stack([
        RepetitionPenaltyLogitsProcessor(float(rep[i]))(ids[i:i + 1], z[i:i + 1].float())[0]
        for i in range(rows)]))
    c.expect("penalised", z - freq[:, None] * counts - pre[:, None] * (counts > 0))


def main():
    os.makedirs(OUT, exist_ok=True)
    files = {"linear": linear_case, "conv": conv_case, "norm": norm_case,
             "activation": activation_case, "cell": cell_case,
             "attention": attention_case, "rope": rope_case, "moe": moe_case,
             "delta": delta_case, "delta_net": delta_net_case, "sample": sample_case}
    count = size = 0
    for name, fill in files.items():
        c = Case()
        RNG.seed(zlib.crc32(name.encode()))
        fill(c)
        path = os.path.join(OUT, name + ".safetensors")
        tensorfile.write(path, {k: np.ascontiguousarray(v).reshape(np.shape(v))
                                for k, v in c.tensors.items()},
                         {"made_by": "scripts/make_nn_numbers.py"})
        count += sum(k.startswith("expect.") for k in c.tensors)
        size += os.path.getsize(path)
    print(f"{count} results in {len(files)} files, {size} bytes")


if __name__ == "__main__":
    main()
