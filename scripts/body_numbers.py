# SPDX-License-Identifier: Apache-2.0
"""Cases of operations with bodies of scalars for make_op_numbers.py.

By loops over StableHLO's definitions, in whole numbers or in floats that hold them. Run by
itself it compares the same loops with JAX, where that is installed.
"""
import itertools
import math

import numpy as np

from opcase import Case

ADD = "{0}(%a: {1}[], %b: {1}[]) {{ %1 = add %a, %b return r=%1 }}"
SET = "{0}(%a: {1}[], %b: {1}[]) {{ return r=%b }}"
GE = "{0}(%a: {1}[], %b: {1}[]) {{ %1 = ge %a, %b return r=%1 }}"
LT = "{0}(%a: {1}[], %b: {1}[]) {{ %1 = lt %a, %b return r=%1 }}"
GT = "{0}(%a: {1}[], %b: {1}[]) {{ %1 = gt %a, %b return r=%1 }}"
# The larger value and where it is; the first of equals.
BEST = """best(%v: f32[], %i: i32[], %w: f32[], %k: i32[]) {
\t\t%1 = ge %v, %w
\t\t%2 = select %1, %v, %w
\t\t%3 = select %1, %i, %k
\t\treturn v=%2, i=%3
\t}"""
# x to a x + b, first the left one: associative, and the order counts.
AFFINE = """affine(%a: i32[], %b: i32[], %c: i32[], %d: i32[]) {
\t\t%1 = mul %a, %c
\t\t%2 = mul %b, %c
\t\t%3 = add %2, %d
\t\treturn a=%1, b=%3
\t}"""


def best(sums, x):
    keep = sums[0] >= x[0]
    return (sums[0], sums[1]) if keep else (x[0], x[1])


def affine(sums, x):
    with np.errstate(over="ignore"):
        return sums[0] * x[0], sums[1] * x[0] + x[1]


def add(sums, x):
    return (sums[0] + x[0],)


def put(sums, x):
    return (x[0],)


def places(shape):
    return itertools.product(*[range(n) for n in shape])


def whole(rng, kind, *shape):
    return rng.randint(-9, 10, shape).astype(kind)


def reduce(x, init, axes, body):
    """Over `axes`, from first to last."""
    kept = [i for i in range(x[0].ndim) if i not in axes]
    y = [np.full([v.shape[i] for i in kept], c, v.dtype) for v, c in zip(x, init)]
    for at in places(x[0].shape):
        to = tuple(at[i] for i in kept)
        for k, v in enumerate(body([a[to] for a in y], [v[at] for v in x])):
            y[k][to] = v
    return y


def window_counts(shape, w, stride, low, high, dilation, base):
    out = []
    for n, size, s, a, b, d, e in zip(shape, w, stride, low, high, dilation, base):
        padded = a + b + ((n - 1) * e + 1 if n > 0 else 0)
        span = (size - 1) * d + 1
        out.append(0 if padded <= 0 or padded < span else (padded - span) // s + 1)
    return out


def window_place(at, k, stride, low, dilation, base, shape):
    """Where place k of window `at` is; None in padding."""
    out = []
    for p, q, s, a, d, e, n in zip(at, k, stride, low, dilation, base, shape):
        v = p * s + q * d - a
        if v < 0 or v % e or v // e >= n:
            return None
        out.append(v // e)
    return tuple(out)


def reduce_window(x, init, body, window, **more):
    rank = len(window)
    a = {k: more.get(k) or [v] * rank for k, v in
         dict(stride=1, low=0, high=0, dilation=1, base=1).items()}
    counts = window_counts(x[0].shape, window, **a)
    y = [np.full(counts, c, v.dtype) for v, c in zip(x, init)]
    high = a.pop("high")
    for at in places(counts):
        for k in places(window):
            p = window_place(at, k, shape=x[0].shape, **a)
            next = [v[p] for v in x] if p is not None else init
            for i, v in enumerate(body([s[at] for s in y], next)):
                y[i][at] = v
    return y


def select_and_scatter(x, source, init, keep, join, window, **more):
    rank = len(window)
    a = {k: more.get(k) or [v] * rank for k, v in dict(stride=1, low=0).items()}
    a |= dict(dilation=[1] * rank, base=[1] * rank)
    y = np.full(x.shape, init, x.dtype)
    for at in places(source.shape):
        picked = None
        for k in places(window):
            p = window_place(at, k, shape=x.shape, **a)
            if p is not None and (picked is None or not keep(x[picked], x[p])):
                picked = p
        if picked is not None:
            y[picked], = join([y[picked]], [source[at]])
    return y


def scatter(x, at, u, body, vector, map, window=(), inserted=(), batch_x=(), batch_at=()):
    y = [v.copy() for v in x]
    vectors = np.expand_dims(at, -1) if vector == at.ndim else np.moveaxis(at, vector, -1)
    count = [i for i in range(at.ndim) if i != vector]
    inside = [i for i in range(x[0].ndim) if i not in inserted and i not in batch_x]
    for p in places(u[0].shape):
        row = tuple(v for i, v in enumerate(p) if i not in window)
        to = [0] * x[0].ndim
        for axis, i in zip(map, vectors[row]):
            to[axis] += int(i)
        for axis, k in zip(batch_x, batch_at):
            to[axis] += row[count.index(k)]
        for axis, i in zip(inside, [p[i] for i in window]):
            to[axis] += i
        to = tuple(to)
        if all(0 <= v < n for v, n in zip(to, x[0].shape)):
            for k, v in enumerate(body([a[to] for a in y], [v[p] for v in u])):
                y[k][to] = v
    return y


def reduce_body_case(rng):
    case = Case("reduce_body")
    case.body(ADD.format("add", "f32"))
    case.body(BEST)
    case.body(AFFINE)
    x, i = whole(rng, np.float32, 4, 37, 3), np.arange(4 * 37 * 3, dtype=np.int32).reshape(4, 37, 3)
    a, b = whole(rng, np.int32, 3, 130), whole(rng, np.int32, 3, 130)
    for name, v in dict(x=x, i=i, a=a, b=b, none=x[:, :0], zero=np.float32(2.5),
                        low=np.float32(-np.inf), nowhere=np.int32(-1), one=np.int32(1),
                        nought=np.int32(3)).items():
        case.input(name, v)
    for axes in ([0], [1], [2], [0, 2], [0, 1, 2], []):
        tail = "".join(map(str, axes))
        y = reduce([x], [np.float32(2.5)], axes, add)
        case.op("add_" + tail, "reduce_body", ["x", "zero"], y[0], axes=axes, body="add")
        y = reduce([x, i], [np.float32(-np.inf), np.int32(-1)], axes, best)
        case.pack({"best_" + tail: y[0], "at_" + tail: y[1]}, "reduce_body",
                  ["x", "i", "low", "nowhere"], axes=axes, body="best")
    for axes in ([0], [1], [0, 1]):
        tail = "".join(map(str, axes))
        y = reduce([a, b], [np.int32(1), np.int32(3)], axes, affine)
        case.pack({"a_" + tail: y[0], "b_" + tail: y[1]}, "reduce_body",
                  ["a", "b", "one", "nought"], axes=axes, body="affine")
    y = reduce([x[:, :0]], [np.float32(2.5)], [1], add)
    case.op("none_added", "reduce_body", ["none", "zero"], y[0], axes=[1], body="add")
    return case


WINDOWS = [dict(window=[1, 2]), dict(window=[2, 3], stride=[1, 2], low=[1, 0], high=[0, 2]),
           dict(window=[2, 2], dilation=[2, 3], low=[-1, 2], high=[1, -2]),
           dict(window=[3, 2], base=[2, 3], low=[1, 1], high=[0, 4], stride=[2, 1]),
           dict(window=[2, 2], base=[3, 1], low=[-2, -1], high=[-1, -3], dilation=[1, 2]),
           dict(window=[9, 1]), dict(window=[1, 1], low=[-3, 0], high=[-3, 0])]


def reduce_window_case(rng):
    case = Case("reduce_window_body")
    case.body(ADD.format("add", "f32"))
    case.body(AFFINE)
    x, a, b = whole(rng, np.float32, 5, 8), whole(rng, np.int32, 5, 8), whole(rng, np.int32, 5, 8)
    for name, v in dict(x=x, a=a, b=b, start=np.float32(0.5), one=np.int32(2),
                        nought=np.int32(3)).items():
        case.input(name, v)
    for i, w in enumerate(WINDOWS):
        y = reduce_window([x], [np.float32(0.5)], add, **w)
        case.op(f"add_{i}", "reduce_window_body", ["x", "start"], y[0], body="add", **w)
        y = reduce_window([a, b], [np.int32(2), np.int32(3)], affine, **w)
        case.pack({f"a_{i}": y[0], f"b_{i}": y[1]}, "reduce_window_body",
                  ["a", "b", "one", "nought"], body="affine", **w)
    return case


SELECTS = [((6, 8), (3, 4), dict(window=[2, 2], stride=[2, 2])),
           ((6, 8), (5, 6), dict(window=[2, 3])),
           ((2, 6, 8), (2, 4, 4), dict(window=[1, 3, 3], stride=[1, 2, 2], low=[0, 1, 0],
                                      high=[0, 2, 1])),
           ((3, 4), (4, 7), dict(window=[1, 2], low=[1, 2], high=[0, 2])),
           ((0, 4), (0, 4), dict(window=[1, 1]))]


def select_case(rng):
    case = Case("select_and_scatter")
    case.body(GE.format("ge", "f32"))
    case.body(ADD.format("add", "f32"))
    case.body("mix(%a: f32[], %b: f32[]) { %1 = add %a, %a %2 = add %1, %b return r=%2 }")
    case.input("init", np.float32(3))
    for i, (sx, ss, w) in enumerate(SELECTS):
        x, s = whole(rng, np.float32, *sx), whole(rng, np.float32, *ss)
        case.input(f"x_{i}", x)
        case.input(f"s_{i}", s)
        for name, f in (("add", add), ("mix", lambda a, b: (2 * a[0] + b[0],))):
            y = select_and_scatter(x, s, np.float32(3), lambda a, b: a >= b, f, **w)
            case.op(f"{name}_{i}", "select_and_scatter", [f"x_{i}", f"s_{i}", "init"], y,
                    select="ge", scatter=name, **w)
    return case


SCATTERS = [  # name, shapes of the operand, the indices, the updates, attributes
    ("rows", (5, 6), (4,), (4, 6), dict(window=[1], inserted=[0], map=[0], vector=1)),
    ("columns", (5, 6), (2, 3), (5, 2, 3), dict(window=[0], inserted=[1], map=[1], vector=2)),
    ("points", (5, 6), (20, 2), (20,), dict(inserted=[0, 1], map=[0, 1], vector=1)),
    ("points_turned", (5, 6), (2, 20), (20,), dict(inserted=[0, 1], map=[1, 0], vector=0)),
    ("boxes", (5, 6), (5, 2), (2, 5, 3), dict(window=[0, 2], map=[0, 1], vector=1)),
    ("boxes_one", (5, 6, 2), (4, 1), (2, 4, 2, 2), dict(window=[0, 2, 3], map=[1], vector=1)),
    ("part", (4, 5, 6), (3, 2), (3, 5), dict(window=[1], inserted=[0, 2], map=[2, 0], vector=1)),
    ("along_last", (3, 6), (3, 4), (3, 4), dict(inserted=[1], batch_x=[0], batch_at=[0], map=[1],
                                                vector=2)),
    ("along_first", (6, 3), (4, 3), (4, 3), dict(inserted=[0], batch_x=[1], batch_at=[1],
                                                 map=[0], vector=2)),
    ("batches", (3, 2, 4, 5), (2, 2, 3, 4), (2, 3, 4, 2, 3),
     dict(window=[3, 4], batch_x=[0, 1], batch_at=[2, 1], map=[3, 2], vector=0)),
    ("one", (5, 6), (2,), (3,), dict(window=[0], inserted=[0], map=[0, 1], vector=0)),
    ("no_vector", (5,), (), (), dict(inserted=[0], map=[0], vector=0)),
    ("no_index", (4, 3), (2, 0), (2, 3, 2), dict(window=[1, 2], map=[], vector=1)),
    ("nowhere", (4, 3), (0,), (0, 3), dict(window=[1], inserted=[0], map=[0], vector=1)),
    ("nothing", (0, 3), (2,), (2, 3), dict(window=[1], inserted=[0], map=[0], vector=1))]


def attrs_of(attrs):
    return {k: v for k, v in attrs.items() if v != [] and (k, v) != ("vector", 0)}


def scatter_cases(rng):
    out = []
    for kind, np_kind, index in (("f32", np.float32, "i32"), ("i8", np.int8, "i64"),
                                 ("f64", np.float64, "i16")):
        case = Case("scatter_" + kind)
        case.body(ADD.format("add", kind))
        case.body(SET.format("set", kind))
        case.body("mix(%a: {0}[], %b: {0}[]) {{ %1 = add %a, %a %2 = add %1, %b return r=%2 }}"
                  .format(kind))
        for name, sx, sat, su, attrs in SCATTERS:
            x, u = whole(rng, np_kind, *sx), whole(rng, np_kind, *su)
            at = rng.randint(-2, 7, sat).astype(index.replace("i", "int"))
            args = [name + "_x", name + "_at", name + "_u"]
            for n, v in zip(args, (x, at, u)):
                case.input(n, v)
            for how, f in (("add", add), ("set", put), ("mix", lambda a, b: (2 * a[0] + b[0],))):
                with np.errstate(over="ignore"):
                    y = scatter([x], at, [u], f, **attrs)
                case.op(f"{name}_{how}", "scatter", args, y[0], body=how, **attrs_of(attrs))
        out.append(case)
    case = Case("scatter_pairs")
    case.body(AFFINE)
    for name, sx, sat, su, attrs in SCATTERS:
        v = [whole(rng, np.int32, *s) for s in (sx, sx, su, su)]
        at = rng.randint(-2, 7, sat).astype(np.int32)
        args = [name + "_" + s for s in ("a", "b", "at", "c", "d")]
        for n, t in zip(args, (v[0], v[1], at, v[2], v[3])):
            case.input(n, t)
        y = scatter(v[:2], at, v[2:], affine, **attrs)
        case.pack({name + "_y": y[0], name + "_z": y[1]}, "scatter", args, body="affine",
                  **attrs_of(attrs))
    far = Case("scatter_far")
    far.body(ADD.format("add", "i16"))
    x, u = np.arange(12, dtype=np.int16), np.arange(1, 9, dtype=np.int16)
    far.input("x", x)
    far.input("u", u)
    for kind in ("uint64", "int64", "uint32", "int8"):
        low, high = np.iinfo(kind).min, np.iinfo(kind).max
        at = np.array([low, low + 1, 0, 3, 11, 12, high - 1, high], kind)
        far.input(kind, at)
        y = scatter([x], at, [u], add, vector=1, map=[0], inserted=[0])
        far.op("y_" + kind, "scatter", ["x", kind, "u"], y[0], body="add", inserted=[0], map=[0],
               vector=1)
    return out + [case, far]


def special_case():
    """All pairs of odd floats: NaN wins, and of zeros one by its sign."""
    case = Case("scatter_special")
    odd = [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -1.5, 1e-42]
    case.input("at", np.arange(81, dtype=np.int32))
    for kind in ("f32", "f64", "f16"):
        odd_kind = np.array(odd, {"f32": np.float32, "f64": np.float64, "f16": np.float16}[kind])
        x, u = odd_kind.repeat(9), np.tile(odd_kind, 9)
        case.input("x_" + kind, x)
        case.input("u_" + kind, u)
        for name, turn in (("max", 1), ("min", -1)):
            def more(a, b):
                return (turn * a, turn * math.copysign(1, a)) > (turn * b, turn * math.copysign(1, b))
            case.body(f"{name}_{kind}(%a: {kind}[], %b: {kind}[]) "
                      f"{{ %1 = {name} %a, %b return r=%1 }}")
            y = [np.nan if a != a or b != b else a if more(a, b) else b for a, b in zip(x, u)]
            case.op(f"{name}_of_{kind}", "scatter", [f"x_{kind}", "at", f"u_{kind}"],
                    np.array(y, x.dtype), body=f"{name}_{kind}", inserted=[0], map=[0], vector=1)
    return case


def order(keys):
    """The stable order of a list of keys that Python compares."""
    return sorted(range(len(keys)), key=lambda i: keys[i])


def sorted_along(x, axis, key):
    """Arrays ordered by key(elements at one place)."""
    y = [v.copy() for v in x]
    shape = [1 if i == axis else n for i, n in enumerate(x[0].shape)]
    for at in places(shape):
        row = tuple(slice(None) if i == axis else p for i, p in enumerate(at))
        p = order([key(t) for t in zip(*[v[row] for v in x])])
        for v, w in zip(y, x):
            v[row] = w[row][p]
    return y


def sort_cases(rng):
    out = []
    for kind, np_kind in (("f32", np.float32), ("i8", np.int8), ("u64", np.uint64),
                          ("f16", np.float16), ("f64", np.float64), ("u16", np.uint16)):
        case = Case("sort_" + kind)
        case.body(LT.format("lt", kind))
        case.body(GT.format("gt", kind))
        case.body("turned(%a: {0}[], %b: {0}[]) {{ %1 = lt %b, %a return r=%1 }}".format(kind))
        case.body("first(%a: {0}[], %b: {0}[], %c: i32[], %d: i32[]) "
                  "{{ %1 = gt %a, %b return r=%1 }}".format(kind))
        case.body("mod(%a: {0}[], %b: {0}[], %c: i32[], %d: i32[]) {{ %1 = const {{3}} : i32[] "
                  "%2 = rem %c, %1 %3 = rem %d, %1 %4 = lt %2, %3 %5 = eq %2, %3 %6 = lt %a, %b "
                  "%7 = and %5, %6 %8 = or %4, %7 return r=%8 }}".format(kind))
        x = rng.randint(0, 40, (3, 17, 4))
        if kind[0] != "u":
            x = x - 20
        x = x.astype(np_kind)
        if kind[0] == "f":
            x.ravel()[::17], x.ravel()[5::23], x.ravel()[3::19] = np.inf, -np.inf, -0.0
        i = np.arange(x.size, dtype=np.int32).reshape(x.shape)
        case.input("x", x)
        case.input("i", i)
        for axis in (0, 1, 2):
            a = {"axis": axis} if axis > 0 else {}
            y = sorted_along([x], axis, lambda t: t[0])
            case.op(f"lt_{axis}", "sort", ["x"], y[0], body="lt", **a)
            for name in ("gt", "turned"):
                y = sorted_along([x], axis, lambda t: -float(t[0]))
                case.op(f"{name}_{axis}", "sort", ["x"], y[0], body=name, **a)
            y = sorted_along([x, i], axis, lambda t: -float(t[0]))
            case.pack({f"first_{axis}": y[0], f"place_{axis}": y[1]}, "sort", ["x", "i"],
                      body="first", **a)
            y = sorted_along([x, i], axis, lambda t: (int(t[1]) % 3, float(t[0])))
            case.pack({f"mod_{axis}": y[0], f"by_{axis}": y[1]}, "sort", ["x", "i"], body="mod",
                      **a)
        long = whole(rng, np_kind, 300) if kind == "i8" else rng.permutation(300).astype(np_kind)
        case.input("long", long)
        case.op("long_lt", "sort", ["long"], np.sort(long, kind="stable"), body="lt")
        case.input("none", x[:, :0])
        case.op("none_lt", "sort", ["none"], x[:, :0], body="lt", axis=1)
        out.append(case)
    return out


def map_case(rng):
    case = Case("map")
    case.body("two(%a: f32[], %b: i32[]) { %1 = const {2} : f32[] %2 = mul %a, %1 "
              "%3 = convert %b : f32[] %4 = add %2, %3 %5 = lt %4, %a return v=%4, less=%5 }")
    case.body("same(%a: f32[]) { return r=%a }")
    case.body("seven(%a: f32[]) { %1 = const {7} : i16[] return r=%1 }")
    a, b = whole(rng, np.float32, 3, 5), whole(rng, np.int32, 3, 5)
    case.input("a", a)
    case.input("b", b)
    y = (2 * a + b).astype(np.float32)
    case.pack({"v": y, "less": y < a}, "map", ["a", "b"], body="two")
    case.op("same", "map", ["a"], a, body="same")
    case.op("seven", "map", ["a"], np.full((3, 5), 7, np.int16), body="seven")
    return case


def cases():
    rng = np.random.RandomState(41)
    return [reduce_body_case(rng), reduce_window_case(rng), select_case(rng),
            *scatter_cases(rng), *sort_cases(rng), map_case(rng), special_case()]


# ---- the loops above against JAX ----

def same(name, ours, theirs):
    theirs = [np.asarray(v) for v in (theirs if isinstance(theirs, (list, tuple)) else [theirs])]
    fine = all(np.array_equal(a, b) for a, b in zip(ours, theirs))
    print("same" if fine else "DIFFERENT", name)


def ask_jax():
    import jax
    jax.config.update("jax_enable_x64", True)
    from jax import lax
    jnp = jax.numpy
    rng = np.random.RandomState(3)
    x, i = whole(rng, np.float32, 4, 37, 3), np.arange(444, dtype=np.int32).reshape(4, 37, 3)

    def jax_best(s, t):
        keep = s[0] >= t[0]
        return jnp.where(keep, s[0], t[0]), jnp.where(keep, s[1], t[1])
    # XLA joins in an order of its own, so equals are made rare.
    x = (x + i / 1024).astype(np.float32)
    for axes in ([0], [1], [0, 2], [0, 1, 2]):
        init = [np.float32(-np.inf), np.int32(-1)]
        same(f"reduce {axes}", reduce([x, i], init, axes, best),
             lax.reduce((x, i), tuple(init), jax_best, axes))
    v = whole(rng, np.float32, 5, 8)
    for w in WINDOWS:
        a = {k: w.get(k) or [d] * 2 for k, d in
             dict(stride=1, low=0, high=0, dilation=1, base=1).items()}
        # With an `init` that is not neutral XLA may count it more than once.
        same(f"reduce_window {w}", reduce_window([v], [np.float32(0)], add, **w),
             lax.reduce_window(v, np.float32(0), lax.add, w["window"], a["stride"],
                               list(zip(a["low"], a["high"])), a["base"], a["dilation"]))
    for sx, ss, w in SELECTS:
        t, s = whole(rng, np.float32, *sx), whole(rng, np.float32, *ss)
        a = {k: w.get(k) or [d] * len(sx) for k, d in dict(stride=1, low=0, high=0).items()}
        same(f"select_and_scatter {w}", [select_and_scatter(
            t, s, np.float32(0), lambda a, b: a >= b, add, **w)],
            lax._select_and_scatter_add(s, t, lax.ge_p, w["window"], a["stride"],
                                        list(zip(a["low"], a["high"])))
            if hasattr(lax, "_select_and_scatter_add") else select_by_grad(t, s, w, a))
    for name, sx, sat, su, attrs in SCATTERS:
        t, u = whole(rng, np.float32, *sx), whole(rng, np.float32, *su)
        # Slices are wholly inside or outside: XLA drops those that are not.
        low = [-3, 40]
        at = np.where(rng.rand(*sat) < 0.3, rng.choice(low, sat),
                      rng.randint(0, 2, sat)).astype(np.int32)
        if sx == (0, 3):
            continue
        vector, rank = attrs["vector"], at.ndim
        moved = np.moveaxis(at, vector, -1) if vector < rank else at[..., None]
        left = [k for k in range(rank) if k != vector]
        d = lax.ScatterDimensionNumbers(
            tuple(attrs.get("window", ())), tuple(attrs.get("inserted", ())),
            tuple(attrs["map"]), tuple(attrs.get("batch_x", ())),
            tuple(left.index(k) for k in attrs.get("batch_at", ())))
        same(f"scatter {name}", scatter([t], at, [u], add, **attrs),
             lax.scatter_add(t, moved, u, d, mode="drop"))
    k, p = whole(rng, np.float32, 3, 29, 4), np.arange(348, dtype=np.int32).reshape(3, 29, 4)
    j = whole(rng, np.int8, 3, 29, 4)
    for axis in (0, 1, 2):
        same(f"sort {axis}", sorted_along([k, j, p], axis, lambda t: (t[0], t[1])),
             lax.sort((k, j, p), axis, True, 2))


def select_by_grad(x, source, w, a):
    """The gradient of a maximum over windows is select_and_scatter with ge and add."""
    import jax
    from jax import lax
    f = lambda v: lax.reduce_window(v, -np.inf, lax.max, w["window"], a["stride"],
                                    list(zip(a["low"], a["high"])))
    return jax.vjp(f, x)[1](source)[0]


if __name__ == "__main__":
    ask_jax()
