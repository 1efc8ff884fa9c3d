# SPDX-License-Identifier: Apache-2.0
"""Reads and writes safetensors files with NumPy alone, for the scripts beside this one.

The same tensors and metadata always give the same bytes: tensors lie in order of
alignment and name, the header is compact JSON, filled with spaces to 64 bytes.
"""
import json
import os

import numpy as np

NAMES = {
    "bool": "BOOL", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
    "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64",
    "float16": "F16", "float32": "F32", "float64": "F64", "complex64": "C64",
}
TYPES = {v: np.dtype(k) for k, v in NAMES.items()}


def write(path, tensors, metadata):
    """Writes aside and renames, so that a reader never sees half a file.

    A tensor given as (name of type, array) has its array's bits stored under that
    type's name, for types that NumPy lacks: ("BF16", uint16 array)."""
    items = {}
    for name, value in tensors.items():
        kind, array = value if isinstance(value, tuple) else (None, value)
        array = np.asarray(array)
        items[name] = (kind or NAMES[array.dtype.name], array)
    order = sorted(items, key=lambda n: (-items[n][1].itemsize, n))
    head = {"__metadata__": {k: str(v) for k, v in metadata.items()}}
    at = 0
    for name in order:
        kind, array = items[name]
        head[name] = {"dtype": kind, "shape": list(array.shape),
                      "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path + ".part", "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            array = items[name][1]
            f.write(array.astype(array.dtype.newbyteorder("<")).tobytes())
    os.replace(path + ".part", path)


def read(path):
    """The tensors by name, of the types that NumPy has, and the metadata."""
    with open(path, "rb") as f:
        data = f.read()
    n = int.from_bytes(data[:8], "little")
    head = json.loads(data[8:8 + n])
    metadata = head.pop("__metadata__", {})
    tensors = {}
    for name, e in head.items():
        a, b = e["data_offsets"]
        flat = np.frombuffer(data[8 + n + a:8 + n + b], TYPES[e["dtype"]].newbyteorder("<"))
        tensors[name] = flat.reshape(e["shape"])
    return tensors, metadata
