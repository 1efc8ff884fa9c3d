#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Makes tests/data/npy with NumPy: element i of each array is i * 3 - 4 (unsigned: i * 3,
# bool: i odd; floats: halved). `ok_` files can be read, `no_` files cannot; tests/npy_test.c
# knows the rest. Run without arguments; the files are committed.
import os

import numpy as np

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npy")


def values(dtype, shape):
    i = np.arange(int(np.prod(shape)))
    kind = np.dtype(dtype).kind
    v = {"b": i % 2, "u": i * 3, "i": i * 3 - 4}.get(kind, (i * 3 - 4) / 2)
    return v.astype(dtype).reshape(shape)


def save(name, array, version=(1, 0)):
    with open(os.path.join(folder, name + ".npy"), "wb") as f:
        np.lib.format.write_array(f, np.asanyarray(array), version=version)


os.makedirs(folder, exist_ok=True)
for t in ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]:
    save("ok_" + t.replace("?", "b1"), values(t, (2, 3)))
save("ok_scalar", values("f8", ()))
save("ok_vector", values("f4", (5,)))
save("ok_empty", values("i4", (0, 4)))
save("ok_rank8", values("u1", (1, 2, 1, 2, 1, 2, 1, 2)))
save("ok_version2", values("f4", (2, 3)), (2, 0))
save("ok_version3", values("f4", (2, 3)), (3, 0))
save("no_rank9", values("u1", (1,) * 9))
save("no_fortran", np.asfortranarray(values("f4", (2, 3))))
save("no_big_endian", values(">f4", (2, 3)))
save("no_text", np.array(["ab", "c"]))
save("no_record", np.zeros(2, dtype=[("a", "<i4"), ("b", "<f4")]))
