"""The runtime of a trained network's ONNX graph, which every stage but training uses."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Batch, Example, in_order_of_length
from pipeline.errors import ModelError

BATCH_SIZE = 64


class OnnxNetwork:
    """A network that can only predict, on ONNX Runtime.

    The file is read at the first call of `scores` or `run`; several threads may call it. A forked process reads the
    file again, as the threads of ONNX Runtime stay behind in its parent. Pickled, it is the path alone.

    Arguments:
        path: the file of the graph.
        threads: CPU threads inside an operator, 0 for all cores.

    Raises ModelError if the file is not a graph or does not take the inputs of the batches.
    """

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        self.path = path
        self.threads = threads
        self._session: Any = None
        _NETWORKS.add(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "threads": self.threads, "_session": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        _NETWORKS.add(self)

    def answers(self, examples: Sequence[Example], outputs: int) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        """Every example once, in batches of similar length, with scores; ModelError unless there are `outputs`."""
        for batch in in_order_of_length(examples, BATCH_SIZE):
            scores = self.scores(batch)
            if scores.shape[-1] != outputs:
                raise ModelError(f"{self.path}: gives {scores.shape[-1]} scores for {outputs} labels: train anew")
            yield batch, scores

    def scores(self, batch: Batch) -> NDArray[np.float32]:
        """The logits of a batch: float32 (batch, outputs), or (batch, steps, outputs) for a network per token."""
        return self.run(["scores"], batch.inputs)[0]

    def run(self, outputs: Sequence[str], inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """The named outputs of the graph for its named inputs; further inputs are ignored."""
        if self._session is None:
            self._session = self._open()
        try:
            fed = {name: inputs[name] for name in self._names}
            return self._session.run(list(outputs), fed)  # type: ignore[no-any-return]
        except Exception as error:  # a graph that does not belong to the other files of the model
            raise ModelError(f"{self.path}: can't answer: {str(error).splitlines()[0]}: train anew") from None

    def _open(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own exceptions share no base class
            raise ModelError(
                f"{self.path}: not a network that ONNX Runtime can load: {str(error).splitlines()[0]}"
            ) from None
        self._names = [value.name for value in session.get_inputs()]
        return session

    def _forget_session(self) -> None:
        """Lets go of a session whose threads are in another process, without ending it: that would wait for them."""
        if self._session is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._session))
            self._session = None


_NETWORKS: WeakSet[OnnxNetwork] = WeakSet()


def _prepare_child() -> None:
    """Makes a forked process safe: no session of its parent is used, and none of ONNX Runtime's threads waited for.

    At the end of a process, ONNX Runtime's destructors wait for threads, which a forked process does not have. There,
    `_exit` ends it after Python's own cleaning up, where the C library can be told so (glibc's `on_exit`).
    """
    for network in list(_NETWORKS):
        network._forget_session()
    library = ctypes.CDLL(None)
    if "onnxruntime" in sys.modules and hasattr(library, "on_exit"):
        library.on_exit(library._exit, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_prepare_child)
