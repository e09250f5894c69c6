"""Tagging: one tag a token, and the entities or words that the tags mark."""

from pipeline.tasks.tag.answerer import TagAnswerer
from pipeline.tasks.tag.head import TagHead
from pipeline.tasks.tag.judge import TagJudge
from pipeline.tasks.tag.task import Tag

__all__ = ["Tag", "TagAnswerer", "TagHead", "TagJudge"]
