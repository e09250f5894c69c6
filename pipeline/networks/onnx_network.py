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
from pipeline.errors import ModelError, NotFinite, PipelineError
from pipeline.networks.deadline import Deadline, OutOfTime

BATCH_SIZE = 64
GREATEST = 1e30  # absolute value of a score; sums of larger ones overflow float32


class OnnxNetwork:
    """A network that can only predict, on ONNX Runtime.

    The file is read at the first call of `scores` or `run`; several threads may call it. A forked process reads the
    file again, as the threads of ONNX Runtime stay behind in its parent. Pickled, it is the path alone.

    Arguments:
        path: the file of the graph.
        threads: CPU threads inside an operator, 0 for all cores.
        seconds: a batch that takes longer is stopped, between two operators.

    Raises ModelError if the file is not a graph, does not take the inputs of the batches or is too slow, PipelineError
    if memory is too short.
    """

    def __init__(self, path: Path, *, threads: int = 0, seconds: float = 600.0) -> None:
        self.path = path
        self.threads = threads
        self._session: Any = None
        self._deadline = Deadline(seconds)
        _NETWORKS.add(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "threads": self.threads, "seconds": self._deadline.seconds}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def answers(
        self, examples: Sequence[Example], outputs: int, *, per_token: bool = False
    ) -> Iterator[tuple[Batch, NDArray[np.float32]]]:
        """Every example once, in batches of similar length, with scores (batch, outputs).

        `per_token`: scores are (batch, steps, outputs). Raises ModelError if they have another shape, and NotFinite,
        with the place of an example, if any score of it is not finite.
        """
        for batch in in_order_of_length(examples, BATCH_SIZE):
            scores = self.scores(batch)
            if scores.shape[-1] != outputs:
                raise ModelError(f"{self.path}: gives {scores.shape[-1]} scores for {outputs} labels: train anew")
            expected = (*(batch.inside.shape if per_token else batch.inside.shape[:1]), outputs)
            check_shape(self.path, scores, expected)
            check_finite(self.path, scores, batch.inside if per_token else None, batch.positions)
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
            with self._deadline.run() as run_options:
                return self._session.run(list(outputs), fed, run_options)  # type: ignore[no-any-return]
        except OutOfTime:
            raise ModelError(
                f"{self.path}: took more than {self._deadline.seconds:g} seconds for a batch: use a smaller model"
            ) from None
        except Exception as error:  # a graph that does not belong to the other files of the model
            raise self._failed("can't answer", error) from None

    def _failed(self, what: str, error: Exception) -> PipelineError:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        if isinstance(error, MemoryError) or "bad allocation" in reason or "bad_alloc" in reason:
            return PipelineError(f"{self.path}: memory is too short for it: use fewer workers, or a smaller model")
        return ModelError(f"{self.path}: {what}: {reason}: train anew")

    def _open(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own exceptions share no base class
            raise self._failed("not a network that ONNX Runtime can load", error) from None
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


def check_shape(network: Path, found: NDArray[Any], expected: tuple[int, ...]) -> None:
    """Raises ModelError if what a network gives is not float32 of the expected shape."""
    if found.shape != expected or found.dtype != np.float32:
        raise ModelError(
            f"{network}: gives {found.dtype} {found.shape} where float32 {expected} is expected: train anew"
        )


def check_finite(
    network: Path, scores: NDArray[np.float32], inside: NDArray[np.bool_] | None, places: NDArray[Any]
) -> None:
    """Raises NotFinite for the first place that has a score which is NaN, infinite or very large.

    `scores`: (batch, outputs), or (batch, steps, outputs) with `inside` (batch, steps), the steps that count; `places`:
    (batch,). Scores that don't count are set to 0, in place, if they are not finite.
    """
    if not scores.size:
        return
    good = np.maximum(scores.max(axis=-1), -scores.min(axis=-1)) < GREATEST  # False for NaN
    if good.all():
        return
    if inside is not None:
        scores[~inside] = 0
        good = (good | ~inside).all(axis=1)
    if not good.all():
        raise NotFinite(network, int(places[~good].min()))
