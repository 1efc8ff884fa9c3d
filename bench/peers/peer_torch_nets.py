# SPDX-License-Identifier: Apache-2.0
"""The models of the bench for PyTorch; peer_onnx.py exports them."""
import math

import torch
import torch.nn.functional as F
from torch import nn

import peer_lines as p


class Rotary(nn.Module):
    def __init__(self, width, places):
        super().__init__()
        angle = torch.outer(torch.arange(places),
                            1 / 10000 ** (torch.arange(0, width, 2) / width))
        angle = torch.cat([angle, angle], -1)
        self.register_buffer("cos", angle.cos())
        self.register_buffer("sin", angle.sin())

    def forward(self, x, at):
        half = x.shape[-1] // 2
        turned = torch.cat([-x[..., half:], x[..., :half]], -1)
        return x * self.cos[at].to(x.dtype) + turned * self.sin[at].to(x.dtype)


class LlamaLayer(nn.Module):
    def __init__(self, dim, heads, kv, ffn, places):
        super().__init__()
        self.heads, self.kv, self.width = heads, kv, dim // heads
        self.norm1, self.norm2 = nn.RMSNorm(dim, eps=1e-5), nn.RMSNorm(dim, eps=1e-5)
        self.q = nn.Linear(dim, dim, bias=False)
        self.k = nn.Linear(dim, kv * self.width, bias=False)
        self.v = nn.Linear(dim, kv * self.width, bias=False)
        self.o = nn.Linear(dim, dim, bias=False)
        self.gate = nn.Linear(dim, ffn, bias=False)
        self.up = nn.Linear(dim, ffn, bias=False)
        self.down = nn.Linear(ffn, dim, bias=False)
        self.register_buffer("keys", torch.zeros(1, kv, places, self.width))
        self.register_buffer("values", torch.zeros(1, kv, places, self.width))

    def split(self, x, heads):
        return x.view(1, -1, heads, self.width).transpose(1, 2)

    def forward(self, x, place, rotary):
        n, y = x.shape[0], self.norm1(x)
        at = slice(place, place + n)
        q = rotary(self.split(self.q(y), self.heads), at)
        self.keys[:, :, at] = rotary(self.split(self.k(y), self.kv), at)
        self.values[:, :, at] = self.split(self.v(y), self.kv)
        k, v = self.keys[:, :, :place + n], self.values[:, :, :place + n]
        y = F.scaled_dot_product_attention(q, k, v, is_causal=n > 1, enable_gqa=True)
        x = x + self.o(y.transpose(1, 2).reshape(n, -1))
        y = self.norm2(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Llama(nn.Module):
    def __init__(self, shape):
        super().__init__()
        dim, layers, heads, kv, ffn, vocab, places = shape
        self.embed = nn.Embedding(vocab, dim)
        self.rotary = Rotary(dim // heads, places)
        self.layers = nn.ModuleList(LlamaLayer(dim, heads, kv, ffn, places)
                                    for _ in range(layers))
        self.norm = nn.RMSNorm(dim, eps=1e-5)
        self.head = nn.Linear(dim, vocab, bias=False)

    def forward(self, tokens, place):
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x, place, self.rotary)
        return self.head(self.norm(x[-1:]))


class BertLayer(nn.Module):
    def __init__(self, dim, heads, ffn):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = (nn.Linear(dim, dim) for _ in range(3))
        self.o = nn.Linear(dim, dim)
        self.up, self.down = nn.Linear(dim, ffn), nn.Linear(ffn, dim)
        self.norm1, self.norm2 = nn.LayerNorm(dim, 1e-12), nn.LayerNorm(dim, 1e-12)

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x):
        y = F.scaled_dot_product_attention(self.split(self.q(x)), self.split(self.k(x)),
                                           self.split(self.v(x)))
        x = self.norm1(x + self.o(y.transpose(1, 2).reshape(x.shape)))
        return self.norm2(x + self.down(F.gelu(self.up(x))))


class Bert(nn.Module):
    def __init__(self, shape):
        super().__init__()
        dim, layers, heads, ffn, vocab, places = shape
        self.words, self.places = nn.Embedding(vocab, dim), nn.Embedding(places, dim)
        self.kinds, self.norm = nn.Embedding(2, dim), nn.LayerNorm(dim, 1e-12)
        self.layers = nn.Sequential(*(BertLayer(dim, heads, ffn) for _ in range(layers)))

    def forward(self, tokens):
        x = self.words(tokens) + self.places.weight[:tokens.shape[1]] + self.kinds.weight[0]
        return self.layers(self.norm(x)).mean(1)


class Block(nn.Module):
    def __init__(self, into, width, stride):
        super().__init__()
        out = width * 4
        self.conv1, self.bn1 = nn.Conv2d(into, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, out, 1, bias=False), nn.BatchNorm2d(out)
        self.down = nn.Identity()
        if into != out or stride != 1:
            self.down = nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False),
                                      nn.BatchNorm2d(out))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.down(x))


def resnet50():
    layers, into = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
                    nn.MaxPool2d(3, 2, 1)], 64
    for i, blocks in enumerate((3, 4, 6, 3)):
        for k in range(blocks):
            layers.append(Block(into, 64 << i, 2 if i > 0 and k == 0 else 1))
            into = (64 << i) * 4
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(into, 1000))


def perceptron():
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))


def sentences(batch):
    return torch.randint(0, MINILM_VOCAB, (batch, p.SENTENCE))


MINILM_VOCAB = p.MINILM[4]
# Name, what makes the model, what makes its input.
SMALL = [
    ("perceptron_784_512_10", perceptron, lambda: torch.randn(1, 784)),
    ("minilm_batch_1", lambda: Bert(p.MINILM), lambda: sentences(1)),
    ("minilm_batch_8", lambda: Bert(p.MINILM), lambda: sentences(8)),
    ("resnet50_batch_1", resnet50, lambda: torch.randn(1, 3, 224, 224)),
]


# Weights are drawn below: drawing a billion of them takes longer than measuring.
nn.Linear.reset_parameters = nn.Embedding.reset_parameters = lambda self: None


def shrink(model):
    """Random weights, repeated, small enough that nothing overflows in 22 layers."""
    drawn = torch.rand(65521) * 2 - 1
    for name, w in model.named_parameters():
        if name.endswith("bias"):
            w.data.zero_()
        elif w.ndim > 1:
            flat = (drawn / math.sqrt(w.shape[-1])).to(w.dtype).repeat(w.numel() // 65521 + 1)
            w.data.copy_(flat[:w.numel()].view(w.shape))
    return model.eval()
