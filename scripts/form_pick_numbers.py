# SPDX-License-Identifier: Apache-2.0
"""Numbers of the functions of adze_picks.h for make_form_numbers.py."""
import numpy as np

RNG = np.random.RandomState(11)


def draw(*shape):
    return RNG.normal(0, 1, shape).astype(np.float32)


def whole(low, high, *shape):
    return RNG.randint(low, high, shape).astype(np.int32)


def gather_cases(i, e):
    x = i["x"] = draw(3, 4, 5, 2)
    p, q, s = i["p"], i["q"], i["s"] = whole(-1, 5, 3, 6), whole(0, 4, 6), whole(0, 6, 3, 6)
    kept = np.clip(p, 0, 3)
    e["gather_one"] = np.stack([x[:, b] for b in q])
    # An axis of both, "a", goes along; c keeps its place behind.
    e["gather_along"] = np.stack([[x[a, kept[a, k]] for k in range(6)] for a in range(3)])
    e["gather_two"] = np.stack([[x[a, kept[a, k], min(s[a, k], 4)] for k in range(6)]
                                for a in range(3)])
    at = i["at"] = whole(0, 4, 7, 2)
    e["gather_nd"] = np.stack([x[b, :, c] for c, b in np.minimum(at, [4, 2])])
    e["gather_slices"] = np.stack([x[min(b, 1):min(b, 1) + 2, :, min(c, 2):min(c, 2) + 3]
                                   for c, b in at])
    t = i["t"] = whole(0, 4, 3, 9, 5, 2)
    e["take_along"] = np.take_along_axis(x, t, 1)
    e["take_along_one"] = np.take_along_axis(x, t[:, :, :1], 1)
    u = i["u"] = whole(0, 5, 1, 1, 3, 1)
    e["take_along_last"] = np.take_along_axis(x, u, 2)
    w, k = i["w"], i["k"] = draw(3, 1, 2), whole(0, 3, 2, 4, 2)
    e["take_along_wide"] = np.take_along_axis(np.broadcast_to(w, (3, 4, 2)), k, 0)


def total_cases(i, e):
    x = i["z"] = draw(3, 7, 4)
    v = x.astype(float)
    for name, f in (("cumsum", np.add), ("cumprod", np.multiply), ("cummax", np.maximum),
                    ("cummin", np.minimum)):
        e[name] = f.accumulate(v, 1)
    back = np.add.accumulate(v[::-1], 0)[:-1]
    e["cumulative"] = np.concatenate([np.zeros((1, 7, 4)), back])[::-1]
    b = i["b"] = RNG.rand(5, 6) < 0.8
    e["cumulative_and"] = np.logical_and.accumulate(b, 1)
    for name, sign in (("top_k", -1), ("bottom_k", 1)):
        order = np.argsort(sign * x, 1, kind="stable")[:, :3]
        e[name + "_at"] = order.astype(np.int32)
        e[name] = np.take_along_axis(x, order, 1)


def matrix_cases(i, e):
    h = draw(2, 5, 5)
    a = i["a"] = (h @ h.transpose(0, 2, 1) + 5 * np.eye(5)).astype(np.float32)
    v, y = a.astype(float), i.setdefault("y", draw(2, 5, 3))
    low = np.linalg.cholesky(v)
    e["cholesky"] = low
    e["cholesky_upper"] = low.transpose(0, 2, 1)
    e["cholesky_solve"] = np.linalg.solve(v, y.astype(float))
    e["triangular_solve"] = np.linalg.solve(np.tril(v), y.astype(float))
    r = i["r"] = draw(2, 3, 5)
    turned = np.triu(v).transpose(0, 2, 1)
    e["triangular_right"] = np.linalg.solve(turned, r.transpose(0, 2, 1)).transpose(0, 2, 1)


FILES = {"picks": (gather_cases, total_cases, matrix_cases)}
