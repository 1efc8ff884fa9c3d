#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/nets: weights of small models by seed, inputs, and what PyTorch and
transformers make of them in f64.

Needs torch 2.15.0 (the CPU is enough), transformers 5.23.0 and numpy 2.4.6 from PyPI, of
which nothing is loaded from a hub. tests/net_test.c has the same shapes.
"""
import os

import numpy as np
import torch
import torch.nn.functional as F
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM

import tensorfile

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "data", "nets")
RNG = np.random.RandomState(2026)


def draw_weights(model):
    """All weights anew: norms around 1 and so on, so that each of them counts."""
    for name, w in sorted(model.state_dict().items()):
        if w.is_floating_point():
            x = RNG.normal(0, 0.2, tuple(w.shape)) + (w.ndim == 1)
            w.copy_(torch.from_numpy(x.astype(np.float32)))
    return model.double().eval()


def store(name, weights, inputs, results):
    tensors = {k: v.detach().numpy().astype(np.float32) for k, v in weights.items()
               if v.is_floating_point()}
    tensors |= inputs
    tensors |= {"expect." + k: v.detach().numpy().astype(np.float32)
                for k, v in results.items()}
    os.makedirs(OUT, exist_ok=True)
    tensorfile.write(os.path.join(OUT, name + ".safetensors"), tensors,
                     {"torch": torch.__version__})


def llama():
    """Two tokens behind three others."""
    config = LlamaConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, intermediate_size=48, vocab_size=40,
                         rms_norm_eps=1e-5, max_position_embeddings=8,
                         rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
    model = draw_weights(LlamaForCausalLM(config))
    tokens = np.array([[3, 17, 39, 0, 8]])
    y = model(torch.from_numpy(tokens), use_cache=True)
    inputs = {"tokens": tokens[0, 3:].astype(np.int32), "place": np.array(3, np.int32)}
    results = {"logits": y.logits[0, -1:]}
    for i, layer in enumerate(y.past_key_values.layers):
        for name, full in (("keys", layer.keys), ("values", layer.values)):
            room = torch.zeros(2, 8, 8, dtype=torch.float64)
            room[:, :5] = full[0]
            results[f"{name}{i}"] = room.clone()
            room[:, 3:] = 0
            inputs[f"{name}{i}"] = room.numpy().astype(np.float32)
    store("llama", model.state_dict(), inputs, results)


def bert():
    config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                        intermediate_size=64, vocab_size=40, max_position_embeddings=16,
                        type_vocab_size=2, layer_norm_eps=1e-12)
    model = draw_weights(BertModel(config, add_pooling_layer=False))
    tokens = RNG.randint(0, 40, (3, 7))
    y = model(torch.from_numpy(tokens)).last_hidden_state.mean(1)
    store("bert", model.state_dict(), {"tokens": tokens.astype(np.int32)}, {"y": y})


class ResNet:
    """Bottlenecks with the stride on the 3x3 convolution, weights drawn as they are met."""

    def __init__(self):
        self.weights = {}

    def draw(self, name, shape, low=-0.3, high=0.3):
        w = torch.from_numpy(RNG.uniform(low, high, shape).astype(np.float32))
        self.weights[name] = w
        return w.double()

    def conv(self, x, name, norm, out, edge, stride):
        w = self.draw(name + ".weight", (out, x.shape[1], edge, edge))
        x = F.conv2d(x, w, stride=stride, padding=edge // 2)
        mean = self.draw(norm + ".running_mean", out)
        var = self.draw(norm + ".running_var", out, 0.5, 2)
        return F.batch_norm(x, mean, var, self.draw(norm + ".weight", out, 0.5, 1.5),
                            self.draw(norm + ".bias", out), eps=1e-5)

    def block(self, x, name, width, stride):
        y = F.relu(self.conv(x, name + "conv1", name + "bn1", width, 1, 1))
        y = F.relu(self.conv(y, name + "conv2", name + "bn2", width, 3, stride))
        y = self.conv(y, name + "conv3", name + "bn3", width * 4, 1, 1)
        if stride != 1 or x.shape[1] != width * 4:
            x = self.conv(x, name + "downsample.0", name + "downsample.1", width * 4, 1, stride)
        return F.relu(x + y)


def resnet():
    net = ResNet()
    images = RNG.normal(0, 1, (2, 3, 32, 32)).astype(np.float32)
    x = F.relu(net.conv(torch.from_numpy(images).double(), "conv1", "bn1", 2, 7, 2))
    x = F.max_pool2d(x, 3, 2, 1)
    for i, blocks in enumerate((1, 2, 1, 1)):
        for k in range(blocks):
            x = net.block(x, f"layer{i + 1}.{k}.", 2 << i, 2 if i > 0 and k == 0 else 1)
    w, b = net.draw("fc.weight", (5, 64)), net.draw("fc.bias", 5)
    store("resnet", net.weights, {"x": images}, {"y": x.mean((2, 3)) @ w.T + b})


with torch.no_grad():
    llama()
    bert()
    resnet()
