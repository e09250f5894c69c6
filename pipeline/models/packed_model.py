"""PackedModel: a model folder as bytes in memory, which can be pickled and copied."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from pipeline.errors import ModelError
from pipeline.models.model import Model


class PackedModel:
    """The files of a model folder, by their POSIX path in it.

    Pickled, it is these bytes alone. `model` writes them, when it is first asked for, into a folder that only this user
    can read, and which is removed with this object or at the end of the process; loading checks their SHA-256.

    Raises ModelError if a name leads out of the folder.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        for name in files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts:
                raise ModelError(f"a packed model with a file named {name!r}: expected names inside of its folder")
        self.files = dict(files)
        self._model: Model | None = None

    @classmethod
    def read(cls, folder: Path) -> PackedModel:
        """The files of a folder and of the folders in it."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return cls({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})

    def write(self, folder: Path) -> None:
        """Writes the files into a folder, which may exist if it is empty. Raises ModelError if it is not."""
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ModelError(f"{folder}: exists already: name another folder")
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    @property
    def model(self) -> Model:
        """The model, loaded once. Raises ModelError if the files are incomplete or altered."""
        if self._model is None:
            folder = Path(tempfile.mkdtemp(prefix="zhpipe-"))
            weakref.finalize(self, _remove, folder, os.getpid())
            self.write(folder)
            self._model = Model.load(folder)
        return self._model

    def __getstate__(self) -> dict[str, bytes]:
        return self.files

    def __setstate__(self, files: dict[str, bytes]) -> None:
        PackedModel.__init__(self, files)


def _remove(folder: Path, owner: int) -> None:
    """Removes a folder, unless this is a forked process: its parent still needs it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
