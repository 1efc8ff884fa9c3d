#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on the models of adze bench that PyTorch exports. Lines of JSON.

Models are kept in $ADZE_PEER_FILES."""
import os

import peer_lines as p

o = p.options(__doc__)

import onnxruntime  # noqa: E402
import torch  # noqa: E402

import peer_torch_nets as nets  # noqa: E402


def session(path):
    s = onnxruntime.SessionOptions()
    s.intra_op_num_threads, s.inter_op_num_threads = o.threads, 1
    s.log_severity_level = 3
    return onnxruntime.InferenceSession(path, s, providers=["CPUExecutionProvider"])


def export(name, make, x):
    """The file of a model, which is kept: exporting takes longer than measuring."""
    path = os.path.join(p.FILES, name + ".onnx")
    if not os.path.exists(path):
        os.makedirs(p.FILES, exist_ok=True)
        torch.onnx.export(nets.shrink(make()), (x,), path + ".part", input_names=["x"],
                          dynamo=True, external_data=False, verbose=False)
        os.replace(path + ".part", path)
    return path


for name, make, data in nets.SMALL:
    if not p.wanted(o, name):
        continue
    with torch.no_grad():
        x = data()
        run = session(export(name, make, x))
    feed = {"x": x.numpy()}
    p.line("onnxruntime", o, name, lambda: run.run(None, feed))
