"""Checksums put right, as somebody would who has altered a model on purpose."""

import hashlib


def seal(folder):
    """Writes SHA256SUMS anew, for all files of a model folder; not if that is a link or a pipe itself."""
    sums = folder / "SHA256SUMS"
    if sums.is_symlink() or (sums.exists() and not sums.is_file()):
        return
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths]
    sums.write_text("".join(lines), encoding="utf-8")
