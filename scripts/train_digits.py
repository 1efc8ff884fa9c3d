#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the digit network of `adze demo` and writes it with its held-out images.

Needs Debian's python3-numpy and python3-sklearn; takes a few seconds. Seeded: the
same machine gives the same bytes, another BLAS may differ in the last bits.

    logits = fc2.weight . relu(fc1.weight . (image / 16) + fc1.bias) + fc2.bias

The held-out fifth is the last 360 of a fixed permutation. It chooses nothing here: no
setting, no seed and no stopping time comes from it.
"""
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np
from sklearn.datasets import load_digits

import tensorfile

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples", "data")
SEED, HIDDEN, HELD_OUT, EPOCHS, BATCH = 1797, 96, 360, 200, 32
RATE, DECAY, SMOOTH, DROP = 2e-3, 0.02, 0.05, 0.2
SOURCE = ("Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine "
          "Learning Repository, https://doi.org/10.24432/C50P49, CC BY 4.0; the 1,797 images "
          "of scikit-learn's load_digits")


def shifted(x, rng):
    """Moves each image by up to one pixel (a quarter of them stay) and blends steps."""
    n = len(x)
    pad = np.zeros((n, 10, 10), x.dtype)
    pad[:, 1:9, 1:9] = x.reshape(n, 8, 8)
    d = rng.uniform(-0.9, 0.9, (n, 2)) * (rng.random((n, 1)) < 0.75)
    # Bilinear: a shift by f is a blend of the image and its neighbour by one pixel.
    for axis in (1, 2):
        f = d[:, axis - 1].reshape(n, 1, 1)
        step = np.where(f > 0, np.roll(pad, 1, axis), np.roll(pad, -1, axis))
        pad = pad * (1 - abs(f)) + step * abs(f)
    return pad[:, 1:9, 1:9].reshape(n, 64).astype(x.dtype)


def loss_gradient(p, x, y, rng):
    keep = (rng.random((len(x), HIDDEN)) >= DROP) / (1 - DROP)
    h = np.maximum(x @ p["fc1.weight"].T + p["fc1.bias"], 0) * keep
    z = h @ p["fc2.weight"].T + p["fc2.bias"]
    e = np.exp(z - z.max(1, keepdims=True))
    dz = e / e.sum(1, keepdims=True)
    dz -= SMOOTH / 10
    dz[np.arange(len(y)), y] -= 1 - SMOOTH
    dz /= len(y)
    dh = dz @ p["fc2.weight"] * (h > 0) * keep
    return {"fc2.weight": dz.T @ h, "fc2.bias": dz.sum(0),
            "fc1.weight": dh.T @ x, "fc1.bias": dh.sum(0)}


def train(x, y, rng):
    """AdamW (arXiv:1711.05101) with a rate that falls as a cosine."""
    p = {"fc1.weight": rng.normal(0, (2 / 64) ** 0.5, (HIDDEN, 64)),
         "fc1.bias": np.zeros(HIDDEN),
         "fc2.weight": rng.normal(0, (1 / HIDDEN) ** 0.5, (10, HIDDEN)),
         "fc2.bias": np.zeros(10)}
    m = {k: np.zeros_like(v) for k, v in p.items()}
    s = {k: np.zeros_like(v) for k, v in p.items()}
    steps, t = EPOCHS * (len(x) // BATCH), 0
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        moved = shifted(x, rng)
        for i in range(0, len(x) - BATCH + 1, BATCH):
            pick = order[i:i + BATCH]
            g = loss_gradient(p, moved[pick], y[pick], rng)
            t += 1
            rate = RATE * 0.5 * (1 + np.cos(np.pi * t / steps))
            for k in p:
                m[k] += 0.1 * (g[k] - m[k])
                s[k] += 0.001 * (g[k] ** 2 - s[k])
                if k.endswith("weight"):
                    p[k] -= rate * DECAY * p[k]
                p[k] -= rate * m[k] / (1 - 0.9 ** t) / (np.sqrt(s[k] / (1 - 0.999 ** t)) + 1e-8)
    return {k: v.astype(np.float32) for k, v in p.items()}


def accuracy(p, x, y):
    h = np.maximum(x.astype(np.float32) @ p["fc1.weight"].T + p["fc1.bias"], 0)
    z = h @ p["fc2.weight"].T + p["fc2.bias"]
    return float((z.argmax(1) == y).mean())


def main():
    digits = load_digits()
    order = np.random.RandomState(SEED).permutation(len(digits.target))
    fit, held = order[:-HELD_OUT], order[-HELD_OUT:]
    x, y = digits.data / 16, digits.target
    p = train(x[fit], y[fit], np.random.RandomState(SEED + 1))
    score = accuracy(p, x[held], y[held])
    print(f"fitted {len(fit)} images: {100 * accuracy(p, x[fit], y[fit]):.2f} % right")
    print(f"held out {len(held)} images: {100 * score:.2f} % right")
    os.makedirs(OUT, exist_ok=True)
    tensorfile.write(os.path.join(OUT, "digits.safetensors"), p, {
        "network": f"fc1 64->{HIDDEN}, relu, fc2 {HIDDEN}->10; input: 8x8 pixels, row by row, / 16",
        "classes": "0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        "input_scale": "16",
        "trained_by": "scripts/train_digits.py",
        "heldout_accuracy": f"{score:.4f}",
        "data_source": SOURCE,
        "data_licence": "CC BY 4.0"})
    tensorfile.write(os.path.join(OUT, "digits-test.safetensors"), {
        "images": digits.images[held].astype(np.uint8),
        "labels": y[held].astype(np.uint8)}, {
        "classes": "0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        "made_by": "scripts/train_digits.py",
        "data_source": SOURCE,
        "data_licence": "CC BY 4.0"})


if __name__ == "__main__":
    main()
