"""Language: how likely a text is, token by token."""

from pipeline.tasks.language.answerer import LanguageAnswerer
from pipeline.tasks.language.head import LanguageHead
from pipeline.tasks.language.judge import LanguageJudge
from pipeline.tasks.language.likelihood import Likelihood
from pipeline.tasks.language.task import Language

__all__ = ["Language", "LanguageAnswerer", "LanguageHead", "LanguageJudge", "Likelihood"]
