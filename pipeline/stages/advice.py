"""Advice: the errors of readers, which name options of the command line, in the words of a config."""

from __future__ import annotations

import re


def with_settings(message: str) -> str:
    """The message with settings of the config in place of the options of the command line."""
    message = re.sub(r"(?<=\s)--encoding (\S+)", r'corpus.encoding = "\1"', message)
    message = re.sub(r"(?<=\s)--no-quoting\b", "corpus.quoting = false", message)
    message = re.sub(r"(?<=\s)--quoting\b", "corpus.quoting = true", message)
    message = re.sub(r"(?<=\s)--(no-header|header-row|skip-rows|sheet|delimiter|label-separator)\b", _setting, message)
    message = re.sub(r"(?<![\w.])(offsets|overlaps|brackets|names) = ", r"corpus.tagged.\1 = ", message)
    return re.sub(r"(?<=\s)--(text|label|format)\b", r"corpus.\1", message)


def _setting(option: re.Match[str]) -> str:
    """The setting that an option of the command line is in a config."""
    return "corpus." + option[1].removeprefix("no-").replace("-", "_")


def with_overrides(message: str) -> str:
    """The message with `--set` of a command that is given files in place of settings of annotated text."""
    keys = r'(?:\bset )?(?<![\w.])(offsets|overlaps|brackets|names) = "?([\w-]+)"?'
    return re.sub(keys, r"--set corpus.tagged.\1=\2", message)
