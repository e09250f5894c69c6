"""States that a frozen encoder gives to texts: computed once, and kept on disk while a network trains on them."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.encoding.batch import Batch, Example, in_order_of_length
from pipeline.encoding.pretrained import STATES, STREAM
from pipeline.networks.onnx_network import BATCH_SIZE, OnnxNetwork

LARGEST = 8 << 30  # bytes of states that are kept; those of further texts are computed each time


class EncoderStates:
    """The states of each text, float16, in a file without a name, which ends with this object or its process.

    Texts are known by their ids, so that it does not matter in which batch or split one comes.

    Arguments:
        network: the encoder, `encoder_graph.save_encoder`.
        folder: where the file is made.
    """

    def __init__(self, network: OnnxNetwork, folder: Path) -> None:
        self.network = network
        self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (lives as long as this object)
        weakref.finalize(self, self.file.close)
        self._places: dict[bytes, int] = {}  # of the states of a text in the file, in bytes
        self._end = 0
        self._width = 0

    def fill(self, examples: Sequence[Example], advance: Callable[[int], object]) -> None:
        """Computes the states of examples, always in the same batches; calls `advance(n_texts)` after each."""
        for batch in in_order_of_length(examples, BATCH_SIZE):
            self.of(batch)
            advance(len(batch.positions))

    def of(self, batch: Batch) -> NDArray[np.float32]:
        """The states of a batch, float32 (batch, steps, width), rounded to float16; 0 after the end of a text."""
        ids, lengths = batch.ids[STREAM], batch.lengths[STREAM]
        keys = [_key(row[:length]) for row, length in zip(ids, lengths, strict=True)]
        missing = [row for row, key in enumerate(keys) if key not in self._places]
        rows: dict[int, NDArray[np.float16]] = {}
        if missing:
            inputs = {STREAM: ids[missing], f"{STREAM}_lengths": lengths[missing]}
            found = self.network.run([STATES], inputs)[0].astype(np.float16)
            self._width = found.shape[-1]
            rows = {row: states[: lengths[row]] for row, states in zip(missing, found, strict=True)}
            for row, states in rows.items():
                self._keep(keys[row], states)
        read = [rows[row] if row in rows else self._read(key, lengths[row]) for row, key in enumerate(keys)]
        padded = np.zeros((*ids.shape, self._width), np.float32)
        for row, states in enumerate(read):
            padded[row, : len(states)] = states
        return padded

    def _keep(self, key: bytes, states: NDArray[np.float16]) -> None:
        if key in self._places or self._end + states.nbytes > LARGEST:
            return
        self.file.seek(self._end)
        self.file.write(states.tobytes())
        self._places[key] = self._end
        self._end += states.nbytes

    def _read(self, key: bytes, length: int) -> NDArray[np.float16]:
        self.file.seek(self._places[key])
        return np.frombuffer(self.file.read(length * self._width * 2), np.float16).reshape(length, self._width)


class NetworkOnStates(OnnxNetwork):
    """A network that is given the states of its encoder, see `encoder_graph.save_on_states`."""

    def __init__(self, path: Path, states: EncoderStates) -> None:
        super().__init__(path)
        self.states = states

    def scores(self, batch: Batch) -> NDArray[np.float32]:
        """The logits of a batch."""
        return self.run(["scores"], {**batch.inputs, STATES: self.states.of(batch)})[0]


def _key(ids: NDArray[np.int32]) -> bytes:
    return blake2b(ids.tobytes(), digest_size=16).digest()
