# SPDX-License-Identifier: Apache-2.0
"""Cases of make_op_numbers.py: every element-wise function of complex numbers, and what else
takes them. NumPy computes in complex128; what it lacks is put together of its functions."""
import numpy as np

from opcase import Case, Tensor

UNARY = {"neg": np.negative, "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p,
         "sqrt": np.sqrt, "rsqrt": lambda a: 1 / np.sqrt(a), "sin": np.sin, "cos": np.cos,
         "tan": np.tan, "tanh": np.tanh, "logistic": lambda a: 1 / (1 + np.exp(-a)),
         "cbrt": lambda a: np.cbrt(np.abs(a)) * np.exp(1j * np.angle(a) / 3),
         "sign": lambda a: np.where(a == 0, 0, a / np.where(a == 0, 1, np.abs(a)))}
BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
          "pow": np.power,
          "atan2": lambda a, b: -1j * np.log((b + 1j * a) / np.sqrt(a * a + b * b))}


class ComplexCase(Case):
    """Operations on complex numbers that are made of inputs of their parts, since files hold
    no c128; results are taken apart again."""

    def __init__(self, part, whole, tolerance):
        super().__init__(f"complex_{whole}", tolerance)
        self.part, self.whole = part, whole
        self.lines, self.outs = [], []

    def line(self, text):
        self.lines.append(text)
        return f"%{len(self.lines)}"

    def round(self, x):
        return np.asarray(x).astype({"c64": np.complex64, "c128": np.complex128}[self.whole])

    def complex(self, name, x):
        """An input, as its parts; its value."""
        x = self.round(x)
        self.input(name + "_re", Tensor(x.real))
        self.input(name + "_im", Tensor(x.imag))
        return self.line(f"complex %{name}_re, %{name}_im : {self.whole}{self.dims(x)}")

    @staticmethod
    def dims(x):
        return "[" + ", ".join(map(str, np.shape(x))) + "]"

    def give(self, name, value, expected):
        """A result that is no complex number."""
        self.expect[name] = Tensor(expected)
        self.outs.append((name, value))

    def result(self, name, text, y):
        y = self.round(y)
        v = self.line(f"{text} : {self.whole}{self.dims(y)}")
        for part, array in (("real", y.real), ("imag", y.imag)):
            self.give(f"{name}_{part}", self.line(f"{part} {v} : {self.part}{self.dims(y)}"), array)

    def graph(self):
        ins = ", ".join(f"%{n}: {t}" for n, t in self.types.items())
        lines = [f"\t%{i + 1} = {text}" for i, text in enumerate(self.lines)]
        outs = ", ".join(f"{n}={v}" for n, v in self.outs)
        return "\n".join([f"graph {self.name}({ins}) {{"] + lines + [f"\treturn {outs}", "}", ""])


def some(rng, *shape):
    return rng.normal(0, 1, shape) + 1j * rng.normal(0, 1, shape)


def case(part, whole, tolerance):
    rng = np.random.RandomState(64)
    c = ComplexCase(part, whole, tolerance)
    odd = [0.5, -0.5, 2, 1j, -1.5j, 1e-3 + 1e-3j, 1e-4j, -1e-4 + 2e-5j, 3 + 4j, -3 - 0.25j, 1 - 1e-3j]
    a = np.concatenate([np.array(odd), 1.5 * some(rng, 29)])
    b = some(rng, 40)
    va, vb = c.complex("a", a), c.complex("b", b)
    a, b = (c.round(x).astype(np.complex128) for x in (a, b))
    n = c.dims(a)
    for name, f in UNARY.items():
        c.result(name, f"{name} {va}", f(a))
    for name, f in BINARY.items():
        c.result(name, f"{name} {va}, {vb}", f(a, b))
    c.give("abs", c.line(f"abs {va} : {part}{n}"), c.round(np.abs(a)).real)
    same = np.where(np.arange(40) % 3 == 0, a, b)
    vs = c.complex("s", same)
    c.give("eq", c.line(f"eq {va}, {vs} : bool{n}"), a == same)
    c.give("ne", c.line(f"ne {va}, {vs} : bool{n}"), a != same)
    x, y = some(rng, 3, 4, 5), some(rng, 5, 4)
    vx, vy = c.complex("x", x), c.complex("y", y)
    x, y = (c.round(v).astype(np.complex128) for v in (x, y))
    for axis in (0, 1, 2):
        c.result(f"sum_{axis}", f"reduce {vx}, by=add, axes=[{axis}]", x.sum(axis))
        c.result(f"product_{axis}", f"reduce {vx}, by=mul, axes=[{axis}]", x.prod(axis))
    c.result("dot", f"dot {vx}, {vy}, sum_a=[2], sum_b=[0]", x @ y)
    c.result("transpose", f"transpose {vx}, axes=[2, 0, 1]", x.transpose(2, 0, 1))
    c.result("slice", f"slice {vx}, start=[0, 1, 1], limit=[3, 4, 5], stride=[1, 2, 3]",
             x[:, 1:4:2, 1:5:3])
    c.result("concat", f"concat {vx}, {vx}, axis=1", np.concatenate([x, x], 1))
    w = np.stack([y[:3].sum(0), y[1:4].sum(0), y[2:].sum(0)])
    c.result("window", f"reduce_window {vy}, window=[3, 1]", w)
    c.result("iota", "iota axis=1", np.broadcast_to(np.arange(4), (2, 4)))
    c.input("p", np.arange(40) % 2 == 0)
    c.result("select", f"select %p, {va}, {vb}", np.where(np.arange(40) % 2 == 0, a, b))
    other = "c128" if whole == "c64" else "c64"
    turned = c.line(f"convert {va} : {other}{n}")
    c.result("convert", f"convert {turned}", c.round(a).astype(np.complex64))
    c.give("to_i32", c.line(f"convert {va} : i32{n}"), np.trunc(c.round(a).real).astype(np.int32))
    return c


def cases():
    return [case("f32", "c64", "rel:1e-5 abs:2e-6"), case("f64", "c128", "rel:1e-12 abs:1e-13")]
