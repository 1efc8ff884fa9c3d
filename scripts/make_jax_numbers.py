#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/jax: graphs, inputs and what JAX says of them.

Needs, from PyPI and on Python 3.11 or later: jax==0.10.2 jaxlib==0.10.2 ml_dtypes==0.6.0
numpy==2.4.6 scipy==1.17.1. JAX's lax operations are StableHLO's; each is run alone on XLA's
CPU backend. The same kind of processor gives the same bytes. opcase.py says what a file holds.
Words given are patterns of names: `reduce_*` makes those files alone.
"""
import fnmatch
import glob
import os
import sys
import warnings
import zlib

os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import numpy as np

import jax_elements
import jax_more
import jax_shapes

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "data", "jax")


def main():
    warnings.simplefilter("ignore")
    patterns = sys.argv[1:] or ["*"]
    os.makedirs(OUT, exist_ok=True)
    for old in glob.glob(os.path.join(OUT, "*.safetensors")) if len(sys.argv) == 1 else []:
        os.remove(old)
    files = outputs = 0
    for prefix, make, kinds in jax_elements.PARTS + jax_shapes.PARTS + jax_more.PARTS:
        for name, kind in ((f"{prefix}_{kind}", kind) for kind in kinds):
            if not any(fnmatch.fnmatch(name, p) for p in patterns):
                continue
            case = make(name, np.random.RandomState(zlib.crc32(name.encode())), kind)
            case.write(OUT, f"scripts/make_jax_numbers.py, jax {jax.__version__}")
            files, outputs = files + 1, outputs + len(case.expect)
    size = sum(os.path.getsize(f) for f in glob.glob(os.path.join(OUT, "*")))
    print(f"{files} files, {outputs} outputs; the folder has {size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
