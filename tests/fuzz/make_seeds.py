#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Makes the seeds of tests/fuzz/corpus/safetensors and corpus/npy, which are committed.
import json
import os
import struct

here = os.path.dirname(os.path.abspath(__file__))


def write(folder, name, data):
    path = os.path.join(here, "corpus", folder)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), "wb") as f:
        f.write(data)


def tensors(name, header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    write("safetensors", name, struct.pack("<Q", len(text)) + text + bytes(data))


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def npy(name, header, data, version=1):
    text = header.encode()
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    write("npy", name, b"\x93NUMPY" + bytes([version, 0]) + size + text + bytes(data))


tensors("empty", {}, 0)
tensors("blank", b"\t\n{}\r ", 0)
tensors("scalar", {"a": tensor("I32", [], 0, 4)}, 4)
tensors("zero", {"a": tensor("F32", [2, 0], 0, 0)}, 0)
tensors("three", {"__metadata__": {"format": "pt"}, "a": tensor("F16", [1, 2], 0, 4),
                  "b.c": tensor("BF16", [2], 4, 8), "d": tensor("U8", [3], 8, 11)}, 11)
tensors("other", {"a": tensor("F4", [2], 0, 1), "b": tensor("C64", [1], 1, 9)}, 9)
tensors("escape", b'{"\\u00e9\\"":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}', 1)
tensors("hole", {"a": tensor("U8", [1], 0, 1), "b": tensor("U8", [1], 2, 3)}, 3)
tensors("overlap", {"a": tensor("U8", [2], 0, 2), "b": tensor("U8", [2], 1, 3)}, 3)
tensors("nested", b"[" * 64, 0)
npy("vector", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 8)
npy("matrix", "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n", 6)
npy("scalar", "{'descr': '<i8', 'fortran_order': False, 'shape': (), }\n", 8)
npy("version3", "{'shape': (0, 4), 'descr': '<f8', 'fortran_order': False}", 0, 3)
npy("fortran", "{'descr': '<u2', 'fortran_order': True, 'shape': (2, 1), }\n", 4)
npy("record", "{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }\n", 4)
