"""Multi-label classification: any number of labels a text, each with a probability of its own."""

from pipeline.tasks.multilabel.answerer import MultilabelAnswerer
from pipeline.tasks.multilabel.head import MultilabelHead
from pipeline.tasks.multilabel.judge import MultilabelJudge
from pipeline.tasks.multilabel.label_set import LabelSet
from pipeline.tasks.multilabel.task import Multilabel

__all__ = ["LabelSet", "Multilabel", "MultilabelAnswerer", "MultilabelHead", "MultilabelJudge"]
