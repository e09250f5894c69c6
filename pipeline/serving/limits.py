"""Limits: how much a service takes from one request, and from all of them together."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class ServiceLimits:
    """What a service accepts; beyond it, a request is refused and names the limit.

    Of a request:
        body_bytes: Length of a JSON body.
        table_bytes: Length of a table that is uploaded to be labelled.
        texts: Number of texts.
        text_characters: Length of a text.
        seconds: Time that a prediction may take, waiting included, or that texts may be continued.
        continuations: Number of continuations of a text.
        continued_tokens: Length of each.

    Of all requests:
        queued_texts: Texts that wait for a model; further ones are answered with 429.
        tables: Tables that are labelled at the same time.
        writers: Texts that are continued at the same time.
        threads: Batches of a model that are answered at the same time.
        batch_texts: Texts that are answered together.
        gather_seconds: How long a text waits for others to be answered with, if a thread is free.
    """

    body_bytes: int = 1 << 20
    table_bytes: int = 1 << 30
    texts: int = 256
    text_characters: int = 20_000
    seconds: float = 30.0
    continuations: int = 16
    continued_tokens: int = 1000
    queued_texts: int = 2048
    tables: int = 1
    writers: int = 4
    threads: int = min(4, os.cpu_count() or 1)
    batch_texts: int = 128
    gather_seconds: float = 0.001


DEFAULT_LIMITS = ServiceLimits()
