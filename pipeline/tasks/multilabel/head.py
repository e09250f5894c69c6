"""The head of a multi-label classifier: a logit a label, each with a sigmoid of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.tasks.head import Head

if TYPE_CHECKING:
    from pipeline.config.train import TrainSettings


class MultilabelHead(Head):
    """A logit a label."""

    def loss(self, network: Any, settings: TrainSettings) -> Any:
        """Binary cross-entropy, the mean over the labels."""
        from pipeline.training import losses

        return losses.BinaryCrossEntropy(settings.label_smoothing)
