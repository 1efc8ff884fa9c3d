#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes one table, as Markdown, of the lines of adze bench and of its peers; --svg FILE: a plot.

    bench_table.py LINES... [--svg FILE]

Of lines that name the same thing the last one counts. A peer's share of the ceiling is ours by
their times.
"""
import argparse
import json
import re
from html import escape

# Names; what they are held against; least share of the ceiling, least ratio to the best peer,
# most microseconds, least 1T / 2T. The first row that finds a name is its target.
TARGETS = [
    (r"product_nt (f32|bf16|f16) (f32|f16|bf16) m=(64|128|512)$", dict(share=.9, ratio=1)),
    (r"product_nt \S+ \S+ m=1$", dict(share=.9)),
    (r"product_nt (f32|bf16) \S+ m=(4|8|16|32)$", dict(share=.85, ratio=1.5)),
    (r"product_nt [iu]8 i8 m=(64|128|512)$", dict(share=.8, ratio=1)),
    (r"product_nt \S+ q\S+ m=(64|128|512)$", dict(share=.7, ratio=1.25)),
    (r"attention", dict(share=.7)),
    (r"(chain|gelu_add|silu_mul|softmax|layer_norm|rms_norm|add_rms_norm)", dict(share=.9)),
    (r"llama_1b_f32_decode", dict(ratio=1.1)),
    (r"llama_1b_b?f16_decode", dict(ratio=1.3)),
    (r"llama_1b_q8_0_decode", dict(ratio=1.4)),
    (r"llama_1b_q4_\w_decode", dict(ratio=1.2)),
    (r"llama_1b_b?f\d+_prefill_(128|512)", dict(ratio=1.3, share=.85)),
    (r"llama_1b_\w+_prefill_\d+", dict(ratio=1.3)),
    (r"minilm_batch_\d", dict(ratio=1.4, scale=1.85)),
    (r"perceptron", dict(us=30)),
    (r"resnet50", dict(ratio=1)),
    (r"compile_llama", dict(us=20000)),
]
ORDER = ["chain", "gelu_add", "silu_mul", "softmax", "layer_norm", "rms_norm", "add_rms_norm",
         "attention", "product", "product_nt", "perceptron", "digits", "fashion", "minilm",
         "resnet", "llama_1b", "llama_110m", "compile", "open"]


def read(files):
    """{work: {threads: {engine: line}}}, and the ceilings by threads."""
    works, ceilings = {}, {}
    for name in files:
        with open(name, encoding="utf-8") as f:
            for text in f:
                x = json.loads(text)
                if x["bench"] == "ceilings":
                    ceilings[x["threads"]] = x
                if "engine" not in x or x["bench"] in ("kernel", "gemm"):
                    continue
                work, threads = x["bench"], x.get("threads", 1)
                if work == "product_nt":
                    work += f" {x['x']} {x['w']} m={x['m']}"
                works.setdefault(work, {}).setdefault(threads, {})[x["engine"]] = x
    return works, ceilings


def place(work):
    """Where a row stands: by ORDER, then by name, numbers in it by their value."""
    first = max((n for n in ORDER if work.startswith(n)), key=len, default=ORDER[-1])
    return ORDER.index(first), [(s.isdigit(), int(s) if s.isdigit() else s)
                                for s in re.split(r"(\d+)", work)]


def seconds(us):
    return f"{us:.1f} µs" if us < 1e3 else f"{us / 1e3:.2f} ms" if us < 1e6 else f"{us / 1e6:.2f} s"


class Row:
    """Of one work and number of threads: ours, its share, the best peer, the ratio."""

    def __init__(self, engines):
        self.ours = engines["adze"]
        self.us = self.ours["median"]
        self.share = self.ours.get("share_of_ceiling")
        peers = [(x["median"], name) for name, x in engines.items() if name != "adze"]
        self.peer_us, self.peer = min(peers, default=(None, None))
        self.ratio = self.peer_us / self.us if peers else None
        self.peer_share = self.share / self.ratio if self.ratio and self.share else None

    def cells(self):
        share = f"{100 * self.share:.0f} %" if self.share else ""
        peer = f"{self.peer} {seconds(self.peer_us)}" if self.peer else ""
        return [seconds(self.us), share, peer, f"{self.ratio:.2f}" if self.ratio else ""]


def target_of(work):
    return next((t for pattern, t in TARGETS if re.match(pattern, work)), {})


def words(target):
    say = {"share": lambda v: f"{100 * v:.0f} % of the ceiling", "ratio": lambda v: f"{v}x the best",
           "us": lambda v: f"{seconds(v)}", "scale": lambda v: f"2T {v}x 1T"}
    return ", ".join(say[k](v) for k, v in target.items())


def is_met(target, rows):
    """By each number of threads: yes, no, or "" without a target."""
    met = []
    for threads, row in sorted(rows.items()):
        fine = [row.share is not None and row.share >= target["share"]] if "share" in target else []
        if "ratio" in target and row.ratio is not None:
            fine.append(row.ratio >= target["ratio"])
        if "us" in target:
            fine.append(row.us <= target["us"])
        if "scale" in target and threads == 2 and 1 in rows:
            fine.append(rows[1].us / row.us >= target["scale"])
        if fine:
            met.append("yes" if all(fine) else "no")
    return " / ".join(met)


def print_table(works, ceilings):
    for threads, c in sorted(ceilings.items()):
        print(f"Ceilings, {threads} threads: " + ", ".join(
            f"{k} {v}" for k, v in c.items() if k not in ("bench", "threads")) + "\n")
    print("| work | 1T | of ceiling | best peer | ratio | 2T | of ceiling | best peer | ratio "
          "| 1T/2T | target | met, 1T / 2T |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for work, rows in works:
        cells = [c for t in (1, 2) for c in (rows[t].cells() if t in rows else [""] * 4)]
        scale = f"{rows[1].us / rows[2].us:.2f}" if 1 in rows and 2 in rows else ""
        target = target_of(work)
        print("| " + " | ".join([work, *cells, scale, words(target), is_met(target, rows)]) + " |")


def print_memory(works):
    """Activations against what is alive at the same time."""
    print("\n| work | activations | least | above it |\n|---|---|---|---|")
    for work, rows in works:
        x = rows[min(rows)].ours
        if x.get("live_bytes"):
            print(f"| {work} | {x['arena_bytes']} | {x['live_bytes']} "
                  f"| {100 * (x['arena_bytes'] / x['live_bytes'] - 1):.1f} % |")


COLOUR = {1: ("#9ecae1", "#3182bd"), 2: ("#c7e9c0", "#31a354")}


def draw(works, path):
    """A bar for each share of the ceiling: ours, with a mark where the best peer is."""
    works = [(w, r) for w, r in works if any(x.share for x in r.values())]
    left, width, step, top = 260, 620, 26, 86
    height = top + step * len(works) + 50
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 150}" '
           f'height="{height}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{left}" y="24" font-size="16">Share of what the machine can do</text>']
    for i, (t, (light, dark)) in enumerate(COLOUR.items()):
        x = left + 190 * i
        out.append(f'<rect x="{x}" y="38" width="26" height="9" fill="{dark}"/>'
                   f'<text x="{x + 32}" y="47">adze, {t} thread{"s" * (t > 1)}</text>')
    x = left + 380
    out.append(f'<path d="M{x} 37v11" stroke="#d62728" stroke-width="3"/>'
               f'<text x="{x + 10}" y="47">the best peer measured</text>')
    for k in range(0, 11):
        x = left + width * k / 10
        colour = "black" if k == 10 else "#dddddd"
        out.append(f'<path d="M{x:.1f} {top - 6}V{height - 40}" stroke="{colour}"/>'
                   f'<text x="{x:.1f}" y="{top - 12}" text-anchor="middle">{10 * k} %</text>')
    out.append(f'<text x="{left + width}" y="{height - 22}" text-anchor="middle">the limit</text>')
    for i, (work, rows) in enumerate(works):
        y = top + step * i
        out.append(f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{escape(work)}</text>')
        for k, t in enumerate((1, 2)):
            if t not in rows or not rows[t].share:
                continue
            row, at = rows[t], y + 2 + 10 * k
            bar = min(row.share, 1.15) * width
            out.append(f'<rect x="{left}" y="{at}" width="{bar:.1f}" height="9" '
                       f'fill="{COLOUR[t][1]}"/>')
            if row.peer_share:
                mark = left + min(row.peer_share, 1.15) * width
                out.append(f'<path d="M{mark:.1f} {at - 0.5}v10" stroke="#d62728" '
                           f'stroke-width="3"/>')
                out.append(f'<text x="{left + max(bar, mark - left) + 5:.1f}" y="{at + 8}" '
                           f'font-size="9" fill="#555555">{row.ratio:.2f}x {escape(row.peer)}'
                           '</text>')
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("lines", nargs="+")
    p.add_argument("--svg")
    o = p.parse_args()
    works, ceilings = read(o.lines)
    rows = [(w, {t: Row(e) for t, e in by.items() if "adze" in e}) for w, by in works.items()]
    rows = sorted((w for w in rows if w[1]), key=lambda w: place(w[0]))
    print_table(rows, ceilings)
    print_memory(rows)
    if o.svg:
        draw(rows, o.svg)


main()
