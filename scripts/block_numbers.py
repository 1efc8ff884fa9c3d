#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/blocks.txt: for each block format its numbers in GGUF files, a digest of what
some random blocks stand for, and one of the bytes that some numbers are packed to ("-" where the
oracle cannot pack). With --grid prints src/base/block_grid.c.

    python3 -m venv /tmp/gguf && /tmp/gguf/bin/pip install gguf==0.19.0
    /tmp/gguf/bin/python scripts/block_numbers.py
"""
import os
import sys

import gguf.quants as quants
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "data", "blocks.txt")
BLOCKS = 64
LEFT_OUT = {"Q8_1", "Q8_K", "Q1_0"}  # of activations; not in the oracle
MASK = 2 ** 64 - 1


class Mix:
    """splitmix64, as tests/block_test.c has it."""

    def __init__(self):
        self.state = 1

    def next(self):
        self.state = self.state + 0x9e3779b97f4a7c15 & MASK
        z = self.state
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & MASK
        z = (z ^ z >> 27) * 0x94d049bb133111eb & MASK
        return z ^ z >> 31


def digest(words):
    """FNV-1a over whole words."""
    h = 0xcbf29ce484222325
    for w in words:
        h = (h ^ int(w)) * 0x100000001b3 & MASK
    return "%016x" % h


def random_bytes(n):
    mix = Mix()
    return np.array([mix.next() >> 56 for _ in range(n)], dtype=np.uint8)


def random_floats(n):
    """24 bits, and another exponent for every 32 numbers; the third 32 are zeros."""
    mix, out = Mix(), []
    for i in range(n):
        v = (mix.next() >> 40) - 2 ** 23
        out.append(0 if i // 32 == 2 else v * 2.0 ** -(18 + i // 32 % 11))
    return np.array(out, dtype=np.float32)


def numbers():
    lines = []
    for kind in GGMLQuantizationType:
        elements, size = GGML_QUANT_SIZES[kind]
        if elements == 1 or kind.name in LEFT_OUT:
            continue
        raw = random_bytes(BLOCKS * size).reshape(BLOCKS, size)
        with np.errstate(all="ignore"):
            y = quants.dequantize(raw, kind).astype(np.float32).reshape(-1)
        y[np.isnan(y)] = np.float32(np.nan)
        packed = "-"
        if elements == 32 and kind.name[0] == "Q":
            x = random_floats(BLOCKS * elements).reshape(BLOCKS, elements)
            packed = digest(quants.quantize(x, kind).reshape(-1))
        lines.append(f"{kind.name.lower()} {int(kind)} {elements} {size} "
                     f"{digest(y.view(np.uint32))} {packed}\n")
    with open(OUT, "w", encoding="ascii") as f:
        f.writelines(lines)


def grid():
    print("/* SPDX-License-Identifier: Apache-2.0\n *\n * The tables of the iq formats: see block.h."
          " Numbers of the formats, as the package gguf has them.\n */\n#include \"base/block.h\"")
    for name in ["iq1_s", "iq2_xxs", "iq2_xs", "iq2_s", "iq3_xxs", "iq3_s"]:
        rows = np.frombuffer(bytes.fromhex(getattr(quants, name.upper()).grid_hex.decode()), "<u2")
        print(f"\nconst uint16_t block_grid_{name}[{len(rows)}] = {{")
        for i in range(0, len(rows), 11):
            print("\t" + " ".join("0x%04x," % v for v in rows[i:i + 11]))
        print("};")


if __name__ == "__main__":
    grid() if "--grid" in sys.argv else numbers()
