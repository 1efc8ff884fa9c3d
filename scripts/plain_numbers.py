# SPDX-License-Identifier: Apache-2.0
"""Cases of operations of class PLAIN for make_op_numbers.py."""
import itertools

import numpy as np

from opcase import NUMPY, Case, Tensor, int_range


def draw(rng, kind, *shape):
    if kind == "bool":
        return Tensor(rng.rand(*shape) < 0.5)
    if kind[0] in "iu":
        low, high = int_range(kind)
        return Tensor(rng.randint(low, high + 1, shape, np.int64).astype(NUMPY[kind]))
    return Tensor.of(rng.normal(0, 1, shape), kind)


def gather(x, at, sizes, vector, map, offset=(), collapsed=(), batch_x=(), batch_at=()):
    """A slice of `x` for each vector of indices, put where the result's batch axes say."""
    vectors = np.expand_dims(at, -1) if vector == at.ndim else np.moveaxis(at, vector, -1)
    # Axes of `at` without the vector's, as batch_at counts them.
    count = [i for i in range(at.ndim) if i != vector]
    slices = np.empty(vectors.shape[:-1], object)
    for place in itertools.product(*map_range(vectors.shape[:-1])):
        start = [0] * x.ndim
        for axis, i in zip(map, vectors[place]):
            start[axis] = min(max(int(i), 0), x.shape[axis] - sizes[axis])
        for axis, k in zip(batch_x, batch_at):
            start[axis] = place[count.index(k)]
        box = tuple(slice(s, s + n) for s, n in zip(start, sizes))
        gone = tuple(sorted(set(collapsed) | set(batch_x)))
        slices[place] = x[box].squeeze(gone) if gone else x[box]
    inner = [n for i, n in enumerate(sizes) if i not in collapsed and i not in batch_x]
    y = np.empty(slices.shape + tuple(inner), x.dtype)
    for place in itertools.product(*map_range(slices.shape)):
        y[place] = slices[place]
    rank = y.ndim
    rest = iter(range(slices.ndim))
    part = iter(range(slices.ndim, rank))
    return y.transpose([next(part) if i in offset else next(rest) for i in range(rank)])


def map_range(shape):
    return [range(n) for n in shape]


GATHERS = [  # name, shape of the operand, of the indices, attributes
    ("rows", (5, 6), (4,), dict(offset=[1], collapsed=[0], map=[0], sizes=[1, 6], vector=1)),
    ("columns", (5, 6), (2, 3), dict(offset=[0], collapsed=[1], map=[1], sizes=[5, 1], vector=2)),
    ("points", (5, 6), (7, 2), dict(collapsed=[0, 1], map=[0, 1], sizes=[1, 1], vector=1)),
    ("points_turned", (5, 6), (2, 7), dict(collapsed=[0, 1], map=[1, 0], sizes=[1, 1], vector=0)),
    ("boxes", (5, 6), (3, 2), dict(offset=[0, 2], map=[0, 1], sizes=[2, 3], vector=1)),
    ("boxes_first", (5, 6, 2), (4, 1),
     dict(offset=[0, 1, 2], map=[1], sizes=[5, 2, 2], vector=1)),
    ("part", (4, 5, 6), (3, 2), dict(offset=[1], collapsed=[0, 2], map=[2, 0], sizes=[1, 5, 1],
                                     vector=1)),
    ("along_last", (3, 6), (3, 4), dict(collapsed=[1], batch_x=[0], batch_at=[0], map=[1],
                                        sizes=[1, 1], vector=2)),
    ("along_first", (6, 3), (4, 3), dict(collapsed=[0], batch_x=[1], batch_at=[1], map=[0],
                                         sizes=[1, 1], vector=2)),
    ("along_middle", (2, 5, 3), (2, 4, 3), dict(collapsed=[1], batch_x=[0, 2], batch_at=[0, 2],
                                                map=[1], sizes=[1, 1, 1], vector=3)),
    ("batches", (3, 2, 4, 5), (2, 2, 3, 4),  # the example of StableHLO's text, in size
     dict(offset=[3, 4], collapsed=[], batch_x=[0, 1], batch_at=[2, 1], map=[3, 2],
          sizes=[1, 1, 2, 3], vector=0)),
    ("one", (5, 6), (2,), dict(offset=[0], collapsed=[0], map=[0, 1], sizes=[1, 3], vector=0)),
    ("no_vector", (5,), (), dict(collapsed=[0], map=[0], sizes=[1], vector=0)),
    ("no_index", (4, 3), (5, 0), dict(offset=[1, 2], map=[], sizes=[2, 3], vector=1)),
    ("nowhere", (4, 3), (0,), dict(offset=[1], collapsed=[0], map=[0], sizes=[1, 3], vector=1)),
    ("no_element", (4, 3), (3,), dict(offset=[1, 2], map=[0], sizes=[0, 3], vector=1))]


def gather_cases(rng):
    out = []
    for kind, index in (("f32", "i32"), ("bool", "u8"), ("f64", "i64"), ("bf16", "i8")):
        case = Case(f"gather_{kind}")
        for name, sx, sat, attrs in GATHERS:
            if name == "batches":
                sx, sat = (3, 2, 4, 5), (2, 2, 3, 4)
            x = draw(rng, kind, *sx)
            low = 0 if index == "u8" else -3
            at = Tensor(rng.randint(low, 8, sat, np.int64).astype(NUMPY[index]))
            case.input(name + "_x", x)
            case.input(name + "_at", at)
            y = gather(x.array, at.array, **attrs)
            case.op(name, "gather", [name + "_x", name + "_at"], Tensor(y, kind),
                    **{k: v for k, v in attrs.items() if v != []})
        out.append(case)
    case = Case("gather_far")
    case.input("x", np.arange(12, dtype=np.int16))
    for kind in ("u64", "i64", "u32", "i8"):
        low, high = int_range(kind)
        at = np.array([low, low + 1, 0, 3, 11, 12, high - 1, high], NUMPY[kind])
        case.input(kind, at)
        y = np.arange(12, dtype=np.int16)[[min(max(int(i), 0), 11) for i in at]]
        case.op("y_" + kind, "gather", ["x", kind], y, collapsed=[0], map=[0], sizes=[1], vector=1)
    return out + [case]


def cases():
    return gather_cases(np.random.RandomState(31))
