"""The head of a tagger: a score for each token and tag, trained one by one or as a chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.tagging.tagset import Allowed, Tagset
from pipeline.tasks.head import Head

if TYPE_CHECKING:
    from pipeline.config.tag import TagSettings
    from pipeline.config.train import TrainSettings


class TagHead(Head):
    """A score a token and tag; unless decoding is greedy, the network also learns scores of neighbouring tags."""

    per_token = True

    def __init__(self, options: TagSettings, tagset: Tagset) -> None:
        super().__init__(len(tagset.labels))
        self.options = options
        self.tagset = tagset
        self.chained = options.decode != "greedy"

    def loss(self, network: Any, settings: TrainSettings) -> Any:
        """The negative log-likelihood of the tags, by the same chain that decodes them."""
        from pipeline.training import losses

        if not self.chained:
            return losses.independent()
        return losses.chain(self.options.decode, network.get_layer("chain"), allowed(self.options, self.tagset))


def allowed(options: TagSettings, tagset: Tagset) -> Allowed:
    """The tags that may follow each other: as the scheme says where the decoding is constrained, or all."""
    found = tagset.allowed
    return found if options.constrained else Allowed(*map(np.ones_like, found))
