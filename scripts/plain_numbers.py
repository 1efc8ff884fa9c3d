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
        return Tensor(rng.randint(low, high + 1, shape, NUMPY[kind]))
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


def numbers(x):
    """The values as doubles, or as int64, whose overflow is the wrapping that is asked for."""
    v = np.array(x.values()).reshape(x.array.shape)
    return v if x.kind == "bool" else v.astype(np.int64 if x.kind[0] in "iu" else np.float64)


def cut(y, kind):
    y = np.asarray(y)
    return Tensor(y.astype(NUMPY[kind])) if kind in NUMPY else Tensor.of(y, kind)


FUNCTIONS = {"add": (np.add, 0), "mul": (np.multiply, 1), "max": (np.maximum, None),
             "min": (np.minimum, None), "and": (np.bitwise_and, -1), "or": (np.bitwise_or, 0),
             "xor": (np.bitwise_xor, 0)}


def lowest(kind, by):
    """What a reduction by max, or min, begins with."""
    if kind[0] in "iu":
        return int_range(kind)[0 if by == "max" else 1]
    return -np.inf if by == "max" else np.inf


def cumulative(x, kind, by, axis, exclusive=0, reverse=0):
    f, start = FUNCTIONS[by]
    start = lowest(kind, by) if start is None else start
    x = np.moveaxis(x, axis, 0)
    x = x[::-1] if reverse else x
    y = f.accumulate(x, 0)
    if exclusive:
        first = np.full(y[:1].shape, True if kind == "bool" and by == "and" else start, y.dtype)
        y = np.concatenate([first, y[:-1]])
    return np.moveaxis(y[::-1] if reverse else y, 0, axis)


def cumulative_cases(rng):
    out = []
    for kind in ("f32", "f64", "f16", "bf16", "i32", "u8", "i64", "bool"):
        case = Case(f"cumulative_{kind}")
        case.input("x", draw(rng, kind, 2, 4, 3))
        case.input("wide", draw(rng, kind, 3, 70))
        for by in list(FUNCTIONS):
            if (kind == "bool") != (by in ("and", "or", "xor")) and kind[0] not in "iu":
                continue
            how = [{}, dict(exclusive=1), dict(reverse=1), dict(exclusive=1, reverse=1)]
            for k, (name, axis) in enumerate([("x", 0), ("x", 1), ("x", 2), ("wide", 0)]):
                for attrs in how if axis == 1 else how[k % 4:k % 4 + 1]:
                    y = cumulative(numbers(case.inputs[name]), kind, by, axis, **attrs)
                    case.op(f"{by}_{name}_{axis}" + "".join(f"_{a}" for a in attrs), "cumulative",
                            [name], cut(y, kind), by=by, axis=axis, **attrs)
        out.append(case)
    case = Case("cumulative_long")
    case.input("x", draw(rng, "f32", 1050))
    case.input("y", draw(rng, "f32", 520, 2))
    for name, attrs in (("x", {}), ("x", dict(reverse=1)), ("y", dict(exclusive=1, reverse=1))):
        y = cumulative(numbers(case.inputs[name]), "f32", "add", 0, **attrs)
        case.op(name + "".join(f"_{a}" for a in attrs), "cumulative", [name], cut(y, "f32"),
                axis=0, **attrs)
    out.append(case)
    case = Case("cumulative_special")
    n, i = np.nan, np.inf
    x = np.array([[1, i, -i, 2, 0], [3, n, 5, 0, 1], [-0.0, 0, 0, -0.0, 7]], np.float32)
    case.input("x", x)
    for by in ("add", "mul", "max", "min"):
        with np.errstate(invalid="ignore"):
            y = np.zeros_like(x)
            for row, line in enumerate(x.astype(float)):
                total = {"add": 0.0, "mul": 1.0, "max": -i, "min": i}[by]
                for k, v in enumerate(line):
                    total = total + v if by == "add" else total * v if by == "mul" else \
                        pick(total, v, by)
                    y[row, k] = total
        case.op(by, "cumulative", ["x"], y, by=by, axis=1)
    return out + [case]


def pick(a, b, by):
    """The larger or smaller, NaN before all, +0 above -0."""
    if np.isnan(a) or np.isnan(b):
        return np.nan
    if a == b:
        return a if (np.signbit(b) if by == "max" else np.signbit(a)) else b
    return max(a, b) if by == "max" else min(a, b)


def top_k(x, k, axis, smallest):
    """By a stable sort of Python's numbers; NaN is the largest of all, and zeros are equal."""
    x = np.moveaxis(x, axis, -1)
    y = np.empty(x.shape[:-1] + (k,), np.int32)
    sign = 1 if smallest else -1
    for place in itertools.product(*map_range(x.shape[:-1])):
        line = [(sign, 0) if v != v else (0, sign * v) for v in x[place].tolist()]
        y[place] = sorted(range(len(line)), key=line.__getitem__)[:k]
    return np.moveaxis(y, -1, axis)


def top_k_cases(rng):
    out = []
    for kind in ("f32", "f64", "bf16", "i8", "u64", "i32"):
        case = Case(f"top_k_{kind}")
        x = draw(rng, kind, 3, 20, 3)
        if kind[0] in "fb":
            x = Tensor.of(np.round(np.array(x.values()).reshape(3, 20, 3) * 4) / 4, kind)
        if kind == "f32":
            x.array[0, 3, 1] = x.array[0, 19, 1] = np.nan
            x.array[1, 5] = np.inf
            x.array[1, 7] = -np.inf
            x.array[2, ::3] = -0.0
            x.array[2, 1::3] = 0.0
        case.input("x", x)
        case.input("long", draw(rng, kind, 300))
        v, u = (np.array(t.values(), object).reshape(t.array.shape)
                for t in (x, case.inputs["long"]))
        for axis, k, smallest in ((0, 2, 0), (1, 5, 0), (1, 20, 0), (2, 1, 1), (1, 7, 1),
                                  (1, 20, 1), (0, 0, 0)):
            y = top_k(v, k, axis, smallest)
            case.op(f"x_{axis}_{k}_{smallest}", "top_k", ["x"], y, axis=axis, k=k,
                    smallest=smallest)
        for k, smallest in ((1, 0), (16, 0), (120, 1), (300, 0)):
            y = top_k(u, k, 0, smallest)
            case.op(f"long_{k}_{smallest}", "top_k", ["long"], y, axis=0, k=k, smallest=smallest)
        out.append(case)
    return out


def cholesky_cases(rng):
    out = []
    for kind, tol in (("f64", "rel:1e-12 abs:1e-12"), ("f32", "rel:1e-6 abs:1e-6"),
                      ("f16", "rel:2e-3 abs:1e-3")):
        case = Case(f"cholesky_{kind}", tol)
        for name, shape in (("one", (1, 1)), ("many", (2, 3, 5, 5)), ("large", (19, 19)),
                            ("none", (2, 0, 0))):
            n = shape[-1]
            half = rng.normal(0, 1, shape)
            full = half @ np.swapaxes(half, -1, -2) + n * np.eye(n)
            x = Tensor.of(full, kind)
            low = np.linalg.cholesky(symmetric(numbers(x), True)) if n else numbers(x)
            up = np.linalg.cholesky(symmetric(numbers(x), False)) if n else numbers(x)
            case.input(name, x)
            case.op(name + "_lower", "cholesky", [name], cut(low, kind), lower=1)
            case.op(name + "_upper", "cholesky", [name], cut(np.swapaxes(up, -1, -2), kind))
        out.append(case)
    case = Case("cholesky_special")
    n = np.nan
    x = np.array([[[4, 9, 9], [2, 1, 9], [6, 5, 99]], [[4, 9, 9], [2, 2, 9], [6, 4, 14]],
                  [[-1, 9, 9], [2, 2, 9], [6, 4, 14]]], np.float32)
    case.input("x", x)
    case.op("lower", "cholesky", ["x"],
            np.array([[[2, 0, 0], [1, n, 0], [3, n, n]], [[2, 0, 0], [1, 1, 0], [3, 1, 2]],
                      [[n, 0, 0], [n, n, 0], [n, n, n]]], np.float32), lower=1)
    return out + [case]


def symmetric(x, lower):
    t = np.tril(x, -1) if lower else np.swapaxes(np.triu(x, 1), -1, -2)
    return t + np.swapaxes(t, -1, -2) + x * np.eye(x.shape[-1])


def triangular_cases(rng):
    out = []
    for kind, tol in (("f64", "rel:1e-11 abs:1e-12"), ("f32", "rel:1e-6 abs:1e-6"),
                      ("bf16", "rel:1e-2 abs:1e-3")):
        case = Case(f"triangular_solve_{kind}", tol)
        for name, n, m, batch in (("small", 4, 3, (2,)), ("wide", 5, 40, ()),
                                  ("single", 17, 1, (2, 2))):
            a = Tensor.of(rng.normal(0, 0.3, batch + (n, n)) + 2 * np.eye(n), kind)
            b = Tensor.of(rng.normal(0, 1, batch + (n, m)), kind)
            c = Tensor.of(rng.normal(0, 1, batch + (m, n)), kind)
            for word, v in (("a", a), ("b", b), ("c", c)):
                case.input(f"{name}_{word}", v)
            every = list(itertools.product((0, 1), (0, 1), (0, 1, 2), (0, 1)))
            for lower, unit, turn, left in every if name == "small" else every[::5]:
                t = np.tril(numbers(a)) if lower else np.triu(numbers(a))
                t = t * (1 - np.eye(n)) + np.eye(n) if unit else t
                t = np.swapaxes(t, -1, -2) if turn else t
                y = np.linalg.solve(t, numbers(b)) if left else \
                    np.swapaxes(np.linalg.solve(np.swapaxes(t, -1, -2),
                                                np.swapaxes(numbers(c), -1, -2)), -1, -2)
                case.op(f"{name}_{left}{lower}{unit}{turn}", "triangular_solve",
                        [name + "_a", name + ("_b" if left else "_c")], cut(y, kind), left=left,
                        lower=lower, unit=unit, transpose=turn)
        out.append(case)
    return out


def complex_case(rng):
    """Factors and solutions of complex matrices; c128 has no name in the file."""
    case = Case("matrices_c64", "rel:1e-5 abs:1e-5")
    n = 5

    def some(*shape):
        return (rng.normal(0, 1, shape) + 1j * rng.normal(0, 1, shape)).astype(np.complex64)

    half = some(2, n, n)
    a = (half @ half.conj().transpose(0, 2, 1) + n * np.eye(n)).astype(np.complex64)
    low = np.linalg.cholesky(np.tril(a, -1) + np.tril(a, -1).conj().transpose(0, 2, 1)
                             + a * np.eye(n))
    case.input("a", a)
    case.op("lower", "cholesky", ["a"], low.astype(np.complex64), lower=1)
    case.op("upper", "cholesky", ["a"], low.conj().transpose(0, 2, 1).astype(np.complex64))
    b = some(2, n, 3)
    case.input("b", b)
    for lower, turn in itertools.product((0, 1), (0, 1, 2)):
        t = np.tril(a) if lower else np.triu(a)
        t = [t, t.transpose(0, 2, 1), t.conj().transpose(0, 2, 1)][turn]
        y = np.linalg.solve(t.astype(np.complex128), b.astype(np.complex128))
        case.op(f"solve_{lower}{turn}", "triangular_solve", ["a", "b"], y.astype(np.complex64),
                left=1, lower=lower, transpose=turn)
        c = b.transpose(0, 2, 1)
        y = np.linalg.solve(t.astype(np.complex128).transpose(0, 2, 1), b.astype(np.complex128))
        case.inputs.get("c") or case.input("c", c)
        case.op(f"right_{lower}{turn}", "triangular_solve", ["a", "c"],
                y.transpose(0, 2, 1).astype(np.complex64), lower=lower, transpose=turn)
    return case


def fft_case(rng):
    """Of random numbers; c128 has no name in the file, so f64 goes there and back."""
    case = Case("fft", "rel:1e-6 abs:1e-5")
    for shape in ((2, 1), (3, 8), (2, 12), (2, 13), (2, 34), (2, 3, 4, 5), (1, 37, 2)):
        axes = tuple(range(1, len(shape)))
        lengths = list(shape[1:])
        name = "x".join(map(str, shape))
        z = (rng.normal(0, 1, shape) + 1j * rng.normal(0, 1, shape)).astype(np.complex64)
        r = rng.normal(0, 1, shape).astype(np.float32)
        half = z[..., :lengths[-1] // 2 + 1]
        case.input("z" + name, z)
        case.input("r" + name, r)
        case.input("h" + name, half)
        w = z.astype(np.complex128)
        for word, x, y, attrs in (
                ("fft", "z", np.fft.fftn(w, axes=axes), {}),
                ("ifft", "z", np.fft.ifftn(w, axes=axes), dict(inverse=1)),
                ("rfft", "r", np.fft.rfftn(r.astype(float), axes=axes), dict(real=1)),
                ("irfft", "h", np.fft.irfftn(half.astype(np.complex128), s=lengths, axes=axes),
                 dict(real=1, inverse=1))):
            kind = np.float32 if word == "irfft" else np.complex64
            case.op(f"{word}_{name}", "fft", [x + name], y.astype(kind), lengths=lengths, **attrs)
    return case


def cases():
    return gather_cases(np.random.RandomState(31)) + \
        cumulative_cases(np.random.RandomState(32)) + top_k_cases(np.random.RandomState(33)) + \
        cholesky_cases(np.random.RandomState(34)) + triangular_cases(np.random.RandomState(35)) + \
        [fft_case(np.random.RandomState(36)), complex_case(np.random.RandomState(37))]
