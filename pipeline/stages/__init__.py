"""Stages: what a run goes through; they meet in files, so that each can be run alone."""

from pipeline.stages import embed, evaluate, segment, train
from pipeline.stages.stage import Stage

STAGES: dict[str, Stage] = {stage.name: stage for stage in (segment.STAGE, embed.STAGE, train.STAGE, evaluate.STAGE)}

__all__ = ["STAGES", "Stage"]
