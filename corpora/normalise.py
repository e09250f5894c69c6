"""Optional normalisation of a text before anything else reads it: Unicode NFKC, traditional to simplified."""

import unicodedata
from collections.abc import Callable

from corpora.errors import CorpusError


def normaliser(nfkc: bool = False, simplify: bool = False) -> Callable[[str], str]:
    """A function from text to text; with both arguments off it returns the text unchanged.

    Args:
        nfkc: Compatibility composition (Unicode Standard Annex 15), such as full-width letters to ASCII.
        simplify: Traditional to simplified characters by OpenCC's table `t2s`; applied after `nfkc`. It keeps the
            number of characters, so that offsets in the result are offsets in the text.

    Raises:
        CorpusError: `simplify` is on and OpenCC is not installed.

    >>> normaliser(nfkc=True)("ＣＰＵ①")
    'CPU1'
    """
    if not simplify:
        return _nfkc if nfkc else _unchanged
    convert = _simplifier()
    return (lambda text: convert(_nfkc(text))) if nfkc else convert


def _unchanged(text: str) -> str:
    return text


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _simplifier() -> Callable[[str], str]:
    try:
        import opencc
    except ImportError:
        message = 'simplify: OpenCC is not installed: pip install "zhpipe[opencc]", or leave simplify off'
        raise CorpusError(message) from None
    convert: Callable[[str], str] = opencc.OpenCC("t2s").convert
    return lambda text: _of_same_length(text, convert)


def _of_same_length(text: str, convert: Callable[[str], str]) -> str:
    """The converted text; if that has another length, each character by itself, as it is if it becomes several."""
    converted = convert(text)
    if len(converted) == len(text):
        return converted
    alone = ((character, convert(character)) for character in text)
    return "".join(new if len(new) == 1 else old for old, new in alone)
