# SPDX-License-Identifier: Apache-2.0
"""What jax_elements.py and jax_shapes.py do not have, by JAX: gather and scatter, running totals,
sorting, linear algebra, Fourier transforms, bodies. For make_jax_numbers.py."""
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax._src.lax import lax as inner
from jax._src.lax import windowed_reductions

from jax_elements import corners
from jax_tensors import (COMPLEX, DTYPE, FLOATS, INTS, KINDS, NUMBERS, WIDE, Numbers, bits_of, cut,
                         given, of, small, some, taken, wide)
from opcase import Case

WHOLE = [k for k in KINDS + COMPLEX if bits_of(k) >= 8]
SUMS = {"f64": "rel:1e-12 abs:1e-13", "c128": "rel:1e-12 abs:1e-12", "f32": "rel:2e-5 abs:1e-5",
        "c64": "rel:2e-5 abs:1e-5", "f16": "rel:4e-3 abs:2e-3", "bf16": "rel:3e-2 abs:2e-2"}


def tolerance(kind):
    """Of sums of rounded products; 8-bit floats may be one apart."""
    return SUMS.get(kind, "ulp:1")


def order_case(name, rng, kind):
    """-0 is before 0 in the total order alone; in 8-bit floats JAX has one NaN of both signs, and
    subnormals are zeros to it; nobody says of which sign the only NaN of the fnuz types is."""
    case = Case(name)
    c = [x for x in of(corners(kind), kind).values().tolist() if x == 0 or abs(x) >= 2.0 ** -126
         or (x != x and "fnuz" not in kind)]
    a = of([x for x in c for _ in c], kind)
    b = of([y for _ in c for y in c], kind)
    case.input("a", a)
    case.input("b", b)
    u, v = wide(a), wide(b)
    case.op("before", "before", ["a", "b"], taken((u < v) | ((u == u) & (v != v))))
    if kind in FLOATS:
        case.op("total_lt", "total_lt", ["a", "b"], taken(inner.lt_to_p.bind(u, v)))
        case.op("total_le", "total_le", ["a", "b"], taken(inner.le_to_p.bind(u, v)))
    return case


def precision_case(name, rng, kind):
    """erf_inv beyond 1 is NaN in both; near 1 JAX is less exact, so it is asked in f64. Without bits
    of mantissa, ties go up here, and to the even exponent there."""
    case = Case(name, tolerance(kind) if kind != "f32" else "rel:4e-6 abs:1e-6")
    one = kind == "f8e8m0fnu"
    x = of([0.5, 0.25, 0.125, 1.0] if one else
           [0.5, -0.25, 0.125, 1.0, -1.0, 0.0, -0.0, 1.5, np.nan, 0.75, -0.875], kind)
    case.input("x", x)
    y = lax.erf_inv(given(x).astype(np.float64))
    case.op("erf_inv", "erf_inv", ["x"], cut(y, kind))
    v = some(rng, kind, 24)
    v = Numbers(v.array[np.abs(np.frexp(v.values())[0]) != 0.75])
    n = v.array.size
    case.input("v", v)
    for e, m in ((4, 1), (5, 2), (8, 0)) if not one else ((8, 1),):
        y = lax.reduce_precision(wide(v), e, m)
        for word, bits in (("e", e), ("m", m)):
            case.input(f"{word}{e}", of(np.full(n, bits), kind))
        case.op(f"precision_{e}", "reduce_precision", ["v", f"e{e}", f"m{e}"], cut(y, kind))
    return case


def barrier_case(name, rng, kind):
    case = Case(name)
    x = some(rng, kind, 2, 8)
    case.input("x", x)
    case.op("barrier", "barrier", ["x"], x)
    if kind == "bool" or kind in COMPLEX:
        return case
    bits = bits_of(kind)
    case.op("bits", "bitcast", ["x"], taken(lax.bitcast_convert_type(given(x), DTYPE[f"u{bits}"])))
    return case


def gather_case(name, rng, kind):
    case = Case(name)
    as_is = wide if bits_of(kind) < 8 else given
    x = some(rng, kind, 4, 5, 3)
    at = np.array([[1, 2], [-3, 9], [3, 0]], np.int32)
    case.input("x", x)
    case.input("at", at)
    for word, offset, collapsed, sizes in (("points", (1,), (0, 1), (1, 1, 3)),
                                           ("boxes", (1, 2, 3), (), (2, 3, 2)),
                                           ("rows", (1, 2), (0,), (1, 2, 3))):
        d = lax.GatherDimensionNumbers(offset, collapsed, (0, 1))
        y = lax.gather(as_is(x), at, d, sizes, mode="clip")
        attrs = {"offset": list(offset), "collapsed": list(collapsed)}
        case.op(word, "gather", ["x", "at"], cut(y, kind), **{k: v for k, v in attrs.items() if v},
                map=[0, 1], sizes=list(sizes), vector=1)
    return case


def cumulative_case(name, rng, kind):
    case = Case(name)
    if kind == "bool":
        x = small(rng, kind, 3, 9)
        case.input("x", x)
        u = np.asarray(given(x))
        case.op("or", "cumulative", ["x"], taken(lax.cummax(jnp.asarray(u.astype(np.int8)), 1) > 0),
                by="or", axis=1)
        return case
    for by, f in (("add", lax.cumsum), ("mul", lax.cumprod), ("max", lax.cummax),
                  ("min", lax.cummin)):
        x = of(rng.choice([1, 1, 2] if by == "mul" and bits_of(kind) > 4 or kind == "f8e8m0fnu"
                          and by != "add" else [1] if by == "mul" or kind == "f8e8m0fnu" else
                          [0, 1, 0] if bits_of(kind) < 8 else [0, 1, 2], (3, 5)), kind)
        case.input(f"x_{by}", x)
        for axis, reverse in ((0, 0), (1, 1)):
            y = f(wide(x), axis, reverse=bool(reverse))
            attrs = {"axis": axis, "reverse": reverse}
            case.op(f"{by}_{axis}", "cumulative", [f"x_{by}"], cut(y, kind), by=by,
                    **{k: v for k, v in attrs.items() if v})
    return case


def pick_case(name, rng, kind):
    """The k largest and the order of all; NaN is left to NumPy's numbers: JAX tells its signs
    apart."""
    case = Case(name)
    x = small(rng, kind, 4, 11)
    case.input("x", x)
    y = lax.top_k(wide(x), 5)[1]
    case.op("largest", "top_k", ["x"], taken(y.astype(np.int32)), axis=1, k=5)
    return case


def sort_case(name, rng, kind):
    """Keys are i32, so that values may have any type; ties stay as they stood."""
    case = Case(name)
    case.body(f"lt(%a: {kind}[], %b: {kind}[], %c: i32[], %d: i32[]) "
              "{ %1 = lt %c, %d return r=%1 }")
    keys, x = rng.randint(0, 5, (3, 12)).astype(np.int32), some(rng, kind, 3, 12)
    case.input("keys", keys)
    case.input("x", x)
    for axis in (0, 1):
        k, y = lax.sort([jnp.asarray(keys), wide(x)], dimension=axis, is_stable=True, num_keys=1)
        case.pack({f"x_{axis}": cut(y, kind), f"keys_{axis}": np.asarray(k)}, "sort", ["x", "keys"],
                  body="lt", **({"axis": axis} if axis else {}))
    if kind not in COMPLEX and kind != "bool":
        case.body(f"less(%a: {kind}[], %b: {kind}[]) {{ %1 = lt %a, %b return r=%1 }}")
        case.op("sorted", "sort", ["x"], cut(lax.sort(wide(x), dimension=1), kind), body="less",
                axis=1)
    return case


def join_body(case, kind):
    """A body that joins two scalars, and the same for JAX."""
    word, f = ("or", lax.bitwise_or) if kind == "bool" else ("add", lax.add)
    if kind == "f8e8m0fnu":
        word, f = "max", lax.max
    case.body(f"join(%a: {kind}[], %b: {kind}[]) {{ %1 = {word} %a, %b return r=%1 }}")
    return f


def body_case(name, rng, kind):
    case = Case(name, "ulp:0")
    join = join_body(case, kind)
    x, u = small(rng, kind, 4, 5), small(rng, kind, 3, 5)
    at = np.array([[1], [3], [9]], np.int32)
    for word, t in (("x", x), ("u", u), ("at", at)):
        case.input(word, t)
    d = lax.ScatterDimensionNumbers((1,), (0,), (0,))
    f = lax.scatter_max if kind in ("bool", "f8e8m0fnu") else lax.scatter_add
    y = f(wide(x), at, wide(u), d, mode=lax.GatherScatterMode.FILL_OR_DROP)
    case.op("scatter", "scatter", ["x", "at", "u"], cut(y, kind), body="join", window=[1],
            inserted=[0], map=[0], vector=1)
    case.op("map", "map", ["x", "x"], cut(join(wide(x), wide(x)), kind), body="join")
    zero = of(0 if kind != "f8e8m0fnu" else 1, kind)
    case.input("zero", zero)
    for axes in ([0], [1], [0, 1]):
        y = lax.reduce(wide(x), wide(zero), lambda a, b: join(a, b), axes)
        case.op("reduce_" + "".join(map(str, axes)), "reduce_body", ["x", "zero"], cut(y, kind),
                axes=axes, body="join")
    y = lax.reduce_window(wide(x), wide(zero), lambda a, b: join(a, b), (2, 3), (1, 2),
                          [(1, 0), (0, 2)], (1, 2), (2, 1))
    case.op("window", "reduce_window_body", ["x", "zero"], cut(y, kind), body="join",
            window=[2, 3], stride=[1, 2], low=[1, 0], high=[0, 2], base=[1, 2], dilation=[2, 1])
    return case


def select_case(name, rng, kind):
    """JAX joins by sums alone, and from 0 on."""
    case = Case(name, "ulp:0")
    join_body(case, kind)
    case.body(f"ge(%a: {kind}[], %b: {kind}[]) {{ %1 = ge %a, %b return r=%1 }}")
    x, s, zero = small(rng, kind, 4, 6), small(rng, kind, 2, 3), of(0, kind)
    for word, t in (("x", x), ("s", s), ("zero", zero)):
        case.input(word, t)
    y = windowed_reductions._select_and_scatter_add(wide(s), wide(x), lax.ge_p, (2, 2), (2, 2),
                                                    ((0, 0), (0, 0)))
    case.op("select", "select_and_scatter", ["x", "s", "zero"], cut(y, kind), window=[2, 2],
            stride=[2, 2], select="ge", scatter="join")
    return case


def complex_solve_case(case, rng, kind):
    a, b = (rng.normal(0, 1, s) + 1j * rng.normal(0, 1, s) for s in ((2, 3, 3), (2, 3, 2)))
    a = of(a @ a.conj().transpose(0, 2, 1) + 3 * np.eye(3), kind)
    b = of(b, kind)
    case.input("a", a)
    case.input("b", b)
    up = lambda v: given(v).astype(np.complex128)
    case.op("cholesky", "cholesky", ["a"],
            cut(jnp.linalg.cholesky(up(a), symmetrize_input=False), kind), lower=1)
    for word, flags in (("lower", dict(left=1, lower=1)),
                        ("adjoint", dict(left=1, lower=1, transpose=2))):
        y = lax.linalg.triangular_solve(up(a), up(b), left_side=True, lower=True,
                                        transpose_a="transpose" in flags,
                                        conjugate_a="transpose" in flags)
        case.op(word, "triangular_solve", ["a", "b"], cut(y, kind), **flags)
    return case


def part_case(name, rng, kind):
    case = Case(name)
    x, z = some(rng, kind, 7), some(rng, kind, 7)
    case.input("x", x)
    y = jnp.imag(wide(x))
    case.op("real", "real", ["x"], cut(jnp.real(wide(x)), "f32" if kind == "c64" else
                                       "f64" if kind == "c128" else kind))
    if kind != "f8e8m0fnu":
        case.op("imag", "imag", ["x"], cut(y, "f32" if kind == "c64" else
                                           "f64" if kind == "c128" else kind))
    if kind in ("f32", "f64"):
        case.input("z", z)
        case.op("complex", "complex", ["x", "z"], taken(lax.complex(given(x), given(z))))
    return case


def complex_case(name, rng, kind):
    """Ordinary numbers; each part is compared alone, so that its error is that of the whole."""
    case = Case(name, {"c64": "rel:2e-5 abs:1e-5"}.get(kind, "rel:1e-11 abs:1e-12"))
    for word in ("x", "z"):
        case.input(word, some(rng, kind, 40))
    x, z = given(case.inputs["x"]), given(case.inputs["z"])
    for f, function in {"add": lax.add, "sub": lax.sub, "mul": lax.mul, "div": lax.div,
                        "pow": lax.pow, "eq": lax.eq, "ne": lax.ne}.items():
        case.op(f, f, ["x", "z"], taken(function(x, z)))
    for f, function in {"neg": lax.neg, "abs": lax.abs, "sign": lax.sign, "exp": lax.exp,
                        "expm1": lax.expm1, "log": lax.log, "log1p": lax.log1p,
                        "sqrt": lax.sqrt, "rsqrt": lax.rsqrt, "sin": lax.sin, "cos": lax.cos,
                        "tan": lax.tan, "tanh": lax.tanh, "logistic": lax.logistic}.items():
        case.op(f, f, ["x"], taken(function(x)))
    return case


def solve_case(name, rng, kind):
    case = Case(name, tolerance(kind))
    if kind in COMPLEX:
        return complex_solve_case(case, rng, kind)
    a = rng.normal(0, 1, (2, 4, 4))
    a = of(np.eye(4)[None].repeat(2, 0) if kind == "f8e8m0fnu" else
           a @ a.transpose(0, 2, 1) + 4 * np.eye(4), kind)
    b = of(np.abs(rng.normal(0, 1, (2, 4, 3))) + 1, kind)
    t = of(np.tril(rng.normal(0, 0.5, (2, 4, 4))) + 2 * np.eye(4), kind)
    for word, v in (("a", a), ("b", b), ("t", t)):
        case.input(word, v)
    up = lambda v: given(v).astype(np.float64)
    y = jnp.linalg.cholesky(up(a), symmetrize_input=False)
    case.op("cholesky", "cholesky", ["a"], cut(y, kind), lower=1)
    for word, flags in (("lower", dict(left=1, lower=1)),
                        ("transposed", dict(left=1, lower=1, transpose=1)),
                        ("unit", dict(left=1, lower=1, unit=1))):
        y = lax.linalg.triangular_solve(up(t), up(b), left_side=True, lower=True,
                                        transpose_a="transpose" in flags,
                                        unit_diagonal="unit" in flags)
        case.op(word, "triangular_solve", ["t", "b"], cut(y, kind), **flags)
    return case


def fft_case(name, rng, kind):
    case = Case(name, tolerance(kind))
    part = kind in COMPLEX
    x = some(rng, kind, 2, 3, 8)
    case.input("x", x)
    u = given(x).astype(np.complex128 if part else np.float64)
    if part:
        case.op("fft", "fft", ["x"], cut(jnp.fft.fft(u), kind), lengths=[8])
        case.op("ifft2", "fft", ["x"], cut(jnp.fft.ifft2(u), kind), lengths=[3, 8], inverse=1)
        half = Numbers(x.array[..., :5])
        case.input("half", half)
        y = jnp.fft.irfft(given(half).astype(np.complex128), 8)
        case.op("irfft", "fft", ["half"], cut(y, "f32" if kind == "c64" else "f64"), lengths=[8],
                inverse=1, real=1)
    else:
        y = jnp.fft.rfft(u)
        case.op("rfft", "fft", ["x"], cut(y, "c64" if kind == "f32" else "c128"), lengths=[8],
                real=1)
    return case


BODIES = [k for k in WHOLE if k != "f8e8m0fnu"]
PARTS = [("order", order_case, NUMBERS), ("precision", precision_case, FLOATS),
         ("barrier", barrier_case, KINDS + COMPLEX), ("gather", gather_case, KINDS + COMPLEX),
         ("cumulative", cumulative_case, KINDS), ("pick", pick_case, [k for k in NUMBERS if bits_of(k) >= 8]),
         ("sort", sort_case, WHOLE), ("body", body_case, WHOLE),
         ("select", select_case, [k for k in BODIES if k != "bool" and k not in COMPLEX]),
         ("solve", solve_case, [k for k in FLOATS + COMPLEX if bits_of(k) >= 8]), ("part", part_case, FLOATS + COMPLEX), ("plane", complex_case, COMPLEX),
         ("fft", fft_case, ["f32", "f64"] + COMPLEX)]
