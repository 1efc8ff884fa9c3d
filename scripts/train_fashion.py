#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the second network of `adze demo`, a small convolutional one, on Fashion-MNIST.

Needs Debian's python3-numpy, libopenblas0 and dataset-fashion-mnist; takes about six
minutes on one core. Seeded: the same machine gives the same bytes, another BLAS differs in
the last bits, which training then enlarges.

    a = maxpool2(relu(conv1(image / 255)))      1 -> 16 channels, 3x3, padded by 1
    b = maxpool2(relu(conv2(a)))               16 -> 32 channels, 3x3, padded by 1
    logits = fc2(relu(fc1(flatten(b))))        1568 -> 24 -> 10, flattened as C, H, W

The 10,000 test images choose nothing here: the last weights are written, whatever they score.
"""
import gzip
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np

import tensorfile

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples", "data")
DATA = "/usr/share/datasets/fashion-mnist"
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
           "Bag", "Ankle boot"]
SEED, EPOCHS, BATCH, HIDDEN = 2017, 16, 100, 24
RATE, DECAY, DROP = 2.5e-3, 0.01, 0.2
SOURCE = ("Fashion-MNIST, Zalando SE, arXiv:1708.07747, as in Debian's dataset-fashion-mnist; "
          "Copyright 2017 Zalando SE, https://tech.zalando.com")


def load(part):
    with gzip.open(f"{DATA}/{part}-images-idx3-ubyte.gz") as f:
        images = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(f"{DATA}/{part}-labels-idx1-ubyte.gz") as f:
        labels = np.frombuffer(f.read(), np.uint8, offset=8)
    return images, labels


def columns(x):
    """[n, h, w, c] to the 3x3 neighbourhoods [n * h * w, 9 * c], zeros outside."""
    n, h, w, c = x.shape
    pad = np.zeros((n, h + 2, w + 2, c), x.dtype)
    pad[:, 1:-1, 1:-1] = x
    y = np.empty((n, h, w, 9, c), x.dtype)
    for k in range(9):
        y[:, :, :, k] = pad[:, k // 3:k // 3 + h, k % 3:k % 3 + w]
    return y.reshape(n * h * w, 9 * c)


def uncolumns(y, shape):
    """The transpose of columns()."""
    n, h, w, c = shape
    pad = np.zeros((n, h + 2, w + 2, c), y.dtype)
    y = y.reshape(n, h, w, 9, c)
    for k in range(9):
        pad[:, k // 3:k // 3 + h, k % 3:k % 3 + w] += y[:, :, :, k]
    return pad[:, 1:-1, 1:-1]


def conv(x, weight, bias):
    """Convolution, 2x2 maxima and relu, which commutes with them."""
    n, h, w, _ = x.shape
    cols = columns(x)
    z = cols @ weight.transpose(2, 3, 1, 0).reshape(-1, len(bias)) + bias
    z = z.reshape(n, h // 2, 2, w // 2, 2, len(bias))
    y = np.maximum(np.maximum(z[:, :, 0, :, 0], z[:, :, 0, :, 1]),
                   np.maximum(z[:, :, 1, :, 0], z[:, :, 1, :, 1]))
    return np.maximum(y, 0), (cols, z, y)


def conv_gradient(dy, saved, weight):
    cols, z, y = saved
    dy = dy * (y > 0)
    dz = np.empty_like(z)
    for k in range(4):
        at = (slice(None), slice(None), k // 2, slice(None), k % 2)
        dz[at] = dy * (z[at] == y)
    dz = dz.reshape(len(cols), -1)
    dw = (cols.T @ dz).reshape(3, 3, weight.shape[1], weight.shape[0]).transpose(3, 2, 0, 1)
    return dw, dz.sum(0), dz


def features(p, x):
    a, keep_a = conv(x[..., None], p["conv1.weight"], p["conv1.bias"])
    b, keep_b = conv(a, p["conv2.weight"], p["conv2.bias"])
    return b.transpose(0, 3, 1, 2).reshape(len(x), -1), a.shape, keep_a, keep_b


def logits(p, x):
    f = features(p, x)[0]
    h = np.maximum(f @ p["fc1.weight"].T + p["fc1.bias"], 0)
    return h @ p["fc2.weight"].T + p["fc2.bias"]


def loss_gradient(p, x, y, rng):
    f, a_shape, keep_a, keep_b = features(p, x)
    drop = (rng.random(f.shape, np.float32) >= DROP) * np.float32(1 / (1 - DROP))
    f *= drop
    h = np.maximum(f @ p["fc1.weight"].T + p["fc1.bias"], 0)
    z = h @ p["fc2.weight"].T + p["fc2.bias"]
    e = np.exp(z - z.max(1, keepdims=True))
    dz = e / e.sum(1, keepdims=True)
    loss = -np.log(dz[np.arange(len(y)), y] + 1e-9).mean()
    dz[np.arange(len(y)), y] -= 1
    dz /= len(y)
    g = {"fc2.weight": dz.T @ h, "fc2.bias": dz.sum(0)}
    dh = dz @ p["fc2.weight"] * (h > 0)
    g["fc1.weight"], g["fc1.bias"] = dh.T @ f, dh.sum(0)
    db = (dh @ p["fc1.weight"] * drop).reshape(len(x), 32, 7, 7).transpose(0, 2, 3, 1)
    g["conv2.weight"], g["conv2.bias"], d = conv_gradient(db, keep_b, p["conv2.weight"])
    da = uncolumns(d @ p["conv2.weight"].transpose(2, 3, 1, 0).reshape(-1, 32).T, a_shape)
    g["conv1.weight"], g["conv1.bias"], _ = conv_gradient(da, keep_a, p["conv1.weight"])
    return g, loss


def start(rng):
    def normal(shape, fan):
        return rng.normal(0, (2 / fan) ** 0.5, shape).astype(np.float32)
    return {"conv1.weight": normal((16, 1, 3, 3), 9), "conv1.bias": np.zeros(16, np.float32),
            "conv2.weight": normal((32, 16, 3, 3), 144), "conv2.bias": np.zeros(32, np.float32),
            "fc1.weight": normal((HIDDEN, 1568), 1568), "fc1.bias": np.zeros(HIDDEN, np.float32),
            "fc2.weight": normal((10, HIDDEN), 2 * HIDDEN), "fc2.bias": np.zeros(10, np.float32)}


def train(images, labels, rng):
    """AdamW (arXiv:1711.05101), a rate that falls as a cosine, mirrored and shifted images."""
    p = start(rng)
    m = {k: np.zeros_like(v) for k, v in p.items()}
    s = {k: np.zeros_like(v) for k, v in p.items()}
    steps, t, began = EPOCHS * (len(images) // BATCH), 0, time.time()
    for epoch in range(EPOCHS):
        order, losses = rng.permutation(len(images)), []
        for i in range(0, len(images), BATCH):
            pick = order[i:i + BATCH]
            x = np.pad(images[pick], ((0, 0), (1, 1), (1, 1)))
            if rng.random() < 0.5:
                x = x[:, :, ::-1]
            dy, dx = rng.integers(0, 3, 2)
            x = x[:, dy:dy + 28, dx:dx + 28].astype(np.float32) / 255
            g, loss = loss_gradient(p, x, labels[pick], rng)
            losses.append(loss)
            t += 1
            rate = np.float32(RATE * 0.5 * (1 + np.cos(np.pi * t / steps)))
            for k in p:
                m[k] += np.float32(0.1) * (g[k] - m[k])
                s[k] += np.float32(0.001) * (g[k] ** 2 - s[k])
                if k.endswith("weight"):
                    p[k] -= rate * np.float32(DECAY) * p[k]
                v = np.sqrt(s[k] / np.float32(1 - 0.999 ** t)) + np.float32(1e-8)
                p[k] -= rate * m[k] / np.float32(1 - 0.9 ** t) / v
        print(f"round {epoch + 1} of {EPOCHS}: loss {np.mean(losses):.4f}, "
              f"{time.time() - began:.0f} s", file=sys.stderr, flush=True)
    return p


def accuracy(p, images, labels):
    right = 0
    for i in range(0, len(images), 500):
        x = images[i:i + 500].astype(np.float32) / 255
        right += int((logits(p, x).argmax(1) == labels[i:i + 500]).sum())
    return right / len(images)


def main():
    p = train(*load("train"), np.random.default_rng(SEED))
    images, labels = load("t10k")
    score = accuracy(p, images, labels)
    print(f"{len(images)} test images: {100 * score:.2f} % right")
    about = {"classes": ", ".join(CLASSES), "data_source": SOURCE, "data_licence": "MIT"}
    os.makedirs(OUT, exist_ok=True)
    tensorfile.write(os.path.join(OUT, "fashion.safetensors"), p, about | {
        "network": "conv1 1->16 3x3 pad 1, relu, maxpool 2, conv2 16->32 3x3 pad 1, relu, "
                   f"maxpool 2, flatten C H W, fc1 1568->{HIDDEN}, relu, fc2 {HIDDEN}->10; input: "
                   "28x28 pixels, row by row, / 255",
        "input_scale": "255",
        "trained_by": "scripts/train_fashion.py",
        "heldout_accuracy": f"{score:.4f}"})
    # The first image of each class, and a second coat and shirt, which are hard to tell apart.
    seen = [(labels[:i] == labels[i]).sum() for i in range(100)]
    pick = [i for i in range(100) if seen[i] < (2 if labels[i] in (4, 6) else 1)]
    tensorfile.write(os.path.join(OUT, "fashion-test.safetensors"), {
        "images": images[pick], "labels": labels[pick]}, about | {
        "made_by": "scripts/train_fashion.py", "indices": " ".join(map(str, pick))})


if __name__ == "__main__":
    main()
