# SPDX-License-Identifier: Apache-2.0
"""What the peers' scripts share: shapes, options, time, and lines like those of adze bench."""
import argparse
import json
import os
import re
import statistics
import sys
import tempfile
import time

# As in bench/model_bench.c: dim, layers, heads, kv heads, ffn, vocabulary, places.
LLAMA = {"llama_1b": (2048, 22, 32, 4, 5632, 32000, 1024),
         "llama_110m": (768, 12, 12, 12, 2048, 32000, 1024)}
LENGTHS = (1, 16, 128, 512)
PLACE = 64
MINILM = (384, 6, 12, 1536, 30522, 512)
SENTENCE = 128
# Where scripts keep the models that they make.
FILES = os.environ.get("ADZE_PEER_FILES", os.path.join(tempfile.gettempdir(), "adze-peers"))
# As in bench/product_bench.c.
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 512)
WIDTH, LENGTH = 8192, 4096


def options(text):
    p = argparse.ArgumentParser(description=text)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--filter", default="", help="names that this regular expression finds")
    o = p.parse_args()
    # Before the engines start their threads; they count the processors they may use.
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(o.threads)
    cores = sorted(os.sched_getaffinity(0))[:o.threads]
    os.sched_setaffinity(0, cores)
    return o


def wanted(o, name):
    return re.search(o.filter, name) is not None


def llama_name(shape, kind, length):
    return f"{shape}_{kind}_" + ("decode" if length == 1 else f"prefill_{length}")


def llama_wanted(o, shape, kind):
    return [n for n in LENGTHS if wanted(o, llama_name(shape, kind, n))]


def measure(run):
    """Microseconds of a call, as bench_measure() takes them: 15 repeats, 7 where long."""
    start = time.perf_counter()
    run()
    once = time.perf_counter() - start
    start = time.perf_counter()
    run()
    once = min(once, time.perf_counter() - start)
    calls = max(1, min(500, int(2e-3 / max(once, 1e-7))))
    seen = []
    for _ in range(15 if once < 0.2 else 7):
        start = time.perf_counter()
        for _ in range(calls):
            run()
        seen.append((time.perf_counter() - start) * 1e6 / calls)
    seen.sort()
    n = len(seen)
    return statistics.median(seen), seen[n * 3 // 4] - seen[n // 4], n


def line(engine, o, name, run, **parameters):
    median, spread, repeats = measure(run)
    print(json.dumps({"bench": name, **parameters, "threads": o.threads, "engine": engine,
                      "median": round(median, 3), "spread": round(spread, 3), "unit": "us",
                      "repeats": repeats}, separators=(",", ":")), flush=True)


def failed(engine, name, error):
    print(f"{engine}: {name}: {str(error).splitlines()[0] if str(error) else type(error)}",
          file=sys.stderr)
