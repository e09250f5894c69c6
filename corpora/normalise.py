"""Optional normalisation of a text before anything else reads it: Unicode NFKC, traditional to simplified."""

import unicodedata
from collections.abc import Callable

from corpora.errors import CorpusError


def normaliser(nfkc: bool = False, simplify: bool = False) -> Callable[[str], str]:
    """A function from text to text; with both arguments off it returns the text unchanged.

    Args:
        nfkc: Compatibility composition (Unicode Standard Annex 15), such as full-width letters to ASCII.
        simplify: Traditional to simplified characters by OpenCC's table `t2s`; applied after `nfkc`.

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
    return convert
