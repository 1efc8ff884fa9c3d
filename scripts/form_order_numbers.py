# SPDX-License-Identifier: Apache-2.0
"""Numbers of the functions of adze_order.h for make_form_numbers.py."""
import numpy as np

RNG = np.random.RandomState(17)


def whole(low, high, *shape):
    return RNG.randint(low, high, shape)


def sorts(i, e):
    x = i["x"] = whole(-6, 7, 3, 11, 4).astype(np.float32)
    x.ravel()[::13], x.ravel()[4::17], x.ravel()[2::7] = np.nan, np.inf, -0.0
    k, v = i["k"], i["v"] = whole(0, 3, 9).astype(np.int32), whole(-9, 9, 9).astype(np.float32)
    e["sort"] = e["sort_symbol"] = np.sort(x, 1, kind="stable")
    # NaN goes first when descending, and equals stay as they stand.
    at = np.empty(x.shape, int)
    for a, b in np.ndindex(3, 4):
        row = x[a, :, b]
        at[a, :, b] = sorted(range(11), key=lambda n: (row[n] == row[n], -row[n])
                             if row[n] == row[n] else (False, 0))
    e["descending"] = np.take_along_axis(x, at, 1)
    e["argsort_down"] = at.astype(np.int32)
    e["argsort"] = np.argsort(x, 1, kind="stable").astype(np.int32)
    e["kth"], e["median"] = np.sort(x, 1)[:, 3], np.sort(x, 0)[1]
    order = sorted(range(9), key=lambda j: (k[j], -v[j]))
    e["by_key"], e["by_value"] = k[order], v[order]


def updates(i, e):
    s = i["s"] = whole(-5, 6, 4, 5, 3).astype(np.float32)
    at = i["at"] = whole(-1, 6, 4, 7, 3).astype(np.int32)
    u = i["u"] = whole(-9, 9, 4, 7, 3).astype(np.float32)
    for name, f in (("set", lambda a, b: b), ("add", lambda a, b: a + b),
                    ("mul", lambda a, b: a * b), ("max", max), ("min", min)):
        y = s.copy()
        for a, b, c in np.ndindex(at.shape):
            if 0 <= at[a, b, c] < 5:
                y[a, at[a, b, c], c] = f(y[a, at[a, b, c], c], u[a, b, c])
        e["scatter_" + name] = y
    p = i["p"] = whole(0, 5, 6, 2).astype(np.int32)
    w = i["w"] = whole(-9, 9, 6, 4).astype(np.float32)
    y, z = s.copy(), s.copy()
    for r, (c, b) in enumerate(p):
        if c < 3:
            y[:, b, c] += w[r]
            z[:, b, c] = w[r]
    e["scatter_nd_add"], e["scatter_nd_set"] = y, z
    t = i["t"] = whole(0, 5, 7).astype(np.int32)
    y, z = s.copy(), np.zeros((4, 6, 3), np.float32)
    for r, b in enumerate(t):
        y[:, b] += u[:, r]
        z[:, b] += u[:, r]
    e["index_add"], e["segment_sum"] = y, z


def reductions(i, e):
    r = i["r"] = whole(-9, 10, 5, 40).astype(np.float32)
    e["largest"], e["where"] = r.max(1), r.argmax(1).astype(np.int32)
    e["logical"] = (r > 8).any(0)
    m = np.full((7, 42), np.float32(1))
    m[1:6, 2:42] = r
    e["moving"] = np.stack([[(1 + m[a:a + 3, b] + m[a:a + 3, b + 2]).sum() - 2
                             for b in range(0, 40, 3)] for a in range(5)])


FILES = {"order": (sorts, updates, reductions)}
