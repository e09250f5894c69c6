"""How many tokens a second linear chains are decoded at: `python benchmarks/decoding.py`.

A batch of 64 texts of 50 tokens, one process, at 10, 44 and 100 tags: once with all transitions allowed, once with
those of a BMES scheme; and with texts of 1 to 50 tokens. Beside it, one BiLSTM(128) of two threads in ONNX Runtime, the
same batch, embeddings given, so that the share of labelling time can be read off.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter

import numpy as np

from pipeline.tagging import linear_chain, viterbi
from pipeline.tagging.forward_backward import forward_backward
from pipeline.tagging.linear_chain import LinearChain

BATCH, STEPS = 64, 50


def bmes(tags: int) -> np.ndarray:
    """Which tag may follow which, for ids 4 * type + (B, M, E, S)."""
    position, kind = np.arange(tags) % 4, np.arange(tags) // 4
    inner = np.isin(position, (1, 2))
    return np.where(np.isin(position, (0, 1))[:, None], inner & (kind[:, None] == kind), ~inner)


def tokens_per_second(decode: Callable[[], object], tokens: int, seconds: float) -> float:
    """Tokens over the least time of a call, measured for about so many seconds: other work only adds to it."""
    decode()
    times: list[float] = []
    while sum(times) < seconds or len(times) < 3:
        begin = perf_counter()
        decode()
        times.append(perf_counter() - begin)
    return tokens / min(times)


def bilstm(seconds: float) -> float:
    """Tokens a second of a BiLSTM(128) on 128 inputs, two threads."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    generator = np.random.default_rng(0)
    shapes = {"w": (2, 512, 128), "r": (2, 512, 128)}
    weights = [
        onnx.numpy_helper.from_array(generator.normal(0, 0.1, shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    node = helper.make_node("LSTM", ["x", "w", "r"], ["y"], direction="bidirectional", hidden_size=128)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "y")]
    graph = helper.make_graph([node], "bilstm", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    x = generator.normal(size=(STEPS, BATCH, 128)).astype(np.float32)
    return tokens_per_second(lambda: session.run(None, {"x": x}), BATCH * STEPS, seconds)


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="time spent on each figure")
    seconds = parser.parse_args().seconds
    network = bilstm(seconds)
    print(f"BiLSTM(128), ONNX Runtime, 2 threads: {network / 1e3:.0f}k tokens/s\n")
    print("| tags | transitions | lengths | Viterbi | of BiLSTM's time | MaxEnt | marginals | 5 best |")
    print("|---:|---|---|---:|---:|---:|---:|---:|")
    generator = np.random.default_rng(0)
    for tags in (10, 44, 100):
        for scheme, lengths in (
            ("all", np.full(BATCH, STEPS)),
            ("BMES", np.full(BATCH, STEPS)),
            ("BMES", generator.integers(1, STEPS + 1, BATCH)),
        ):
            scores = generator.normal(0, 3, (BATCH, STEPS, tags)).astype(np.float32)
            transitions = generator.normal(0, 1, (tags, tags)).astype(np.float32)
            if scheme == "BMES":
                transitions = linear_chain.forbid(transitions, bmes(tags))
            ends = np.zeros(tags, np.float32)
            chain = scores, lengths, LinearChain(transitions, ends, ends)
            tokens = int(lengths.sum())
            speeds = [
                tokens_per_second(decode, tokens, seconds)
                for decode in (
                    lambda chain=chain: viterbi.best_path(*chain),
                    lambda chain=chain: viterbi.best_path(viterbi.normalise_locally(*chain), *chain[1:]),
                    lambda chain=chain: forward_backward(*chain).marginals(),
                    lambda chain=chain: viterbi.n_best(*chain, 5),
                )
            ]
            span = "50" if lengths.min() == STEPS else "1 to 50"
            figures = " | ".join(f"{speed / 1e3:.0f}k" for speed in speeds[1:])
            share = network / speeds[0]
            print(f"| {tags} | {scheme} | {span} | {speeds[0] / 1e3:.0f}k | {share:.0%} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
