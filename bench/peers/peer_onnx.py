#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on the models of adze bench that PyTorch exports. Lines of JSON."""
import os
import tempfile

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


for name, make, data in nets.SMALL:
    if not p.wanted(o, name):
        continue
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path, x = os.path.join(folder, "model.onnx"), data()
        torch.onnx.export(nets.shrink(make()), (x,), path, input_names=["x"], dynamo=True,
                          external_data=False, verbose=False)
        run = session(path)
        feed = {"x": x.numpy()}
        p.line("onnxruntime", o, name, lambda: run.run(None, feed))
