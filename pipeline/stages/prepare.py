"""Prepare: what training needs, made from the files of the earlier stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embeddings.vectors import Vectors
from embeddings.vocabulary import Vocabulary
from pipeline.config.network import NetworkSettings, WideSettings
from pipeline.config.settings import Settings
from pipeline.encoding.affixes import Affixes
from pipeline.encoding.batch import Example, Ids
from pipeline.encoding.context_ngrams import ContextNgrams
from pipeline.encoding.encoder import Encoder, Tokenised
from pipeline.encoding.features import (
    LONGEST_AFFIX,
    Bigrams,
    Feature,
    Segmentation,
    WordAffixes,
    WordCharacters,
    shares,
)
from pipeline.encoding.identifiers import identifying
from pipeline.encoding.lexicon import Lexicon
from pipeline.encoding.ngrams import NgramVocabulary
from pipeline.encoding.pretrained import Pretrained
from pipeline.models.earlier_model import EarlierModel
from pipeline.pretrained import encoder as pretrained
from pipeline.pretrained import language_weights
from pipeline.segmentation.segmenter import Segmenter
from pipeline.stages import embed, run_segmenter, segment
from pipeline.stages.segment import SegmentedRow
from pipeline.tasks import TASKS, Task
from pipeline.tasks.head import Head

if TYPE_CHECKING:
    from pipeline.networks.layers import FeatureTable
    from pipeline.networks.network import Tables


@dataclass(frozen=True)
class Prepared:
    """All that training needs; `task` knows the train split.

    `fair`: the places of the dev rows whose text train does not have, or of all rows if train has every text. Only
    these rows judge a model, since a model that memorises does best on the others. `earlier`: the model that training
    goes on from; `pretrained`: the encoder whose weights the network has or starts from.
    """

    task: Task[Any]
    segmenter: Segmenter
    encoder: Encoder
    tables: Tables
    train_texts: list[Tokenised]
    train: list[Example]
    dev_rows: list[SegmentedRow]
    dev: list[Example]
    fair: list[int]
    earlier: EarlierModel | None = None
    pretrained: Pretrained | None = None

    @property
    def fair_rows(self) -> list[SegmentedRow]:
        """The dev rows at `fair`."""
        return [self.dev_rows[place] for place in self.fair]


def prepare(settings: Settings, run: Path) -> Prepared:
    """Reads train and dev, fits the task and the encoder on train, and makes the examples of both."""
    from pipeline.networks.network import Tables

    unfitted, segmenter = TASKS[settings.task].from_settings(settings), run_segmenter.read_segmenter(run)
    rows, dev_rows = (segment.read_part(run, part, unfitted.parse_gold) for part in ("train", "dev"))
    texts, golds = [row.tokenised for row in rows], [row.gold for row in rows]
    task = unfitted.fit(texts, golds)
    earlier = EarlierModel.load(settings.train.from_model) if settings.train.from_model else None
    if earlier:
        earlier.check(settings)
        task = task.extended(earlier.model.task)
    encoder, weights = _encoder(settings, run, texts, earlier, per_token=task.head.per_token)
    encoder, own, given = _pretrained(settings, task.head, encoder)
    tables = Tables(
        _embeddings(settings, run, encoder),
        weights,
        task.head.outputs,
        task.head.per_token,
        task.head.chained,
        _feature_tables(settings, run, encoder.features, texts),
        given,
    )
    return Prepared(
        task=task,
        segmenter=segmenter,
        encoder=encoder,
        tables=tables,
        train_texts=texts,
        train=task.examples(encoder, texts, golds),
        dev_rows=dev_rows,
        dev=task.examples(encoder, [row.tokenised for row in dev_rows], [row.gold for row in dev_rows]),
        fair=_fair(len(dev_rows), segment.read_audit(run)["leaked_dev"]),
        earlier=earlier,
        pretrained=own,
    )


def _pretrained(
    settings: Settings, head: Head, encoder: Encoder
) -> tuple[Encoder, Pretrained | None, Mapping[str, Any]]:
    """The encoder with the pretrained one, if there is one, that one, and the weights that it gives the network.

    A network that starts from it knows its characters, after those of train.
    """
    if settings.network.encoder == "none":
        return encoder, None, {}
    own = pretrained.load(pretrained.folder_of(settings.network.encoder))
    if not head.starts_from_encoder:
        return replace(encoder, pretrained=own.pretrained), own.pretrained, own.weights
    own.check_sizes(settings.network.widths, settings.embed.vector_size)
    unit = settings.segment.unit
    known = Vocabulary(dict.fromkeys((*encoder.vocabularies[unit].tokens, *own.vocabulary.tokens)))
    forward = language_weights.of(own.arrays, "forward")
    given = language_weights.carried(forward, own.vocabulary, known, settings.seed)
    return replace(encoder, vocabularies={unit: known}), own.pretrained, given


def _fair(rows: int, leaked: Sequence[int]) -> list[int]:
    """The places of `rows` rows that did not leak; all of them if all did."""
    return sorted(set(range(rows)) - set(leaked)) or list(range(rows))


def _encoder(
    settings: Settings, run: Path, texts: Sequence[Tokenised], earlier: EarlierModel | None, *, per_token: bool
) -> tuple[Encoder, dict[str, Any]]:
    """The encoder, and the value of each id of each wide part: its idf in the train split, or 1."""
    network, wide, unit_of_tokens = settings.network, settings.network.wide, settings.segment.unit
    vocabularies = {unit: embed.read_vocabulary(run, unit) for unit in embed.units(settings)}
    if earlier:
        vocabularies = {unit: earlier.vocabulary(unit, tokens) for unit, tokens in vocabularies.items()}
    plain = Encoder(network.units_read, vocabularies, {}, network.max_tokens, unit_of_tokens)
    grams: dict[str, NgramVocabulary | ContextNgrams] = {}
    values: dict[str, Any] = {}
    for unit, longest in settings.grams.items():
        ids = plain.token_ids(unit, texts)
        if per_token:
            grams[unit] = windows = _windows(wide, ids, longest)
            values[unit] = windows.weights()
        else:
            grams[unit] = bags = _bags(wide, ids, longest, vocabularies[unit])
            values[unit] = bags.idf(ids)
        if earlier:
            grams[unit] = merged = earlier.ngrams(unit, grams[unit])
            values[unit] = merged.idf(ids) if isinstance(merged, NgramVocabulary) else merged.weights()
    affixes = None
    if settings.affixes:
        words = [text.tokens for text in texts]
        affixes = Affixes.build(words, longest=settings.affixes, min_count=wide.min_count)
        affixes = earlier.affixes(affixes) if earlier else affixes
        values["affix"] = affixes.weights()
    features = _features(settings, run, texts)
    if earlier:
        features = {name: earlier.feature(name, feature) for name, feature in features.items()}
    encoder = replace(plain, ngrams=grams, affixes=affixes, features=features)
    if earlier:
        values = {part: earlier.values(part, found, encoder) for part, found in values.items()}
    return encoder, values


def _windows(wide: WideSettings, ids: Sequence[Ids], longest: int) -> ContextNgrams:
    return ContextNgrams.build(
        ids, longest=longest, window=wide.window, min_count=wide.min_count, max_features=wide.max_features
    )


def _bags(wide: WideSettings, ids: Sequence[Ids], longest: int, vocabulary: Vocabulary) -> NgramVocabulary:
    return NgramVocabulary.build(
        ids,
        longest=longest,
        counts=wide.counts,
        min_count=wide.min_count,
        max_features=wide.max_features,
        identifying=identifying(vocabulary),
        min_count_identifiers=wide.min_count_identifiers,
    )


def _features(settings: Settings, run: Path, texts: Sequence[Tokenised]) -> dict[str, Feature]:
    """What a tagger reads of each token besides its vector."""
    words = [text.tokens for text in texts]
    rarest = settings.network.features.min_count
    made: dict[str, Callable[[], Feature]] = {
        "bigrams": lambda: Bigrams(embed.read_vocabulary(run, "bigrams")),
        "segmentation": Segmentation,
        "lexicon": lambda: Lexicon(embed.read_vocabulary(run, "lexicon")),
        "characters": lambda: WordCharacters(Vocabulary.build(map("".join, words), min_count=rarest)),
        "affixes": lambda: WordAffixes(Affixes.build(words, longest=LONGEST_AFFIX, min_count=rarest)),
    }
    return {name: made[name]() for name in settings.network.features.widths}


def _feature_tables(
    settings: Settings, run: Path, features: Mapping[str, Feature], texts: Sequence[Tokenised]
) -> dict[str, FeatureTable]:
    from pipeline.networks.layers import FeatureTable

    tables = {}
    for name, width in settings.network.features.widths.items():
        vectors = embed.read_vectors(run, name) if name in settings.network.features.trained else None
        feature = features[name]
        if vectors is None or settings.network.embedding == "random":
            values = drawn(len(feature), width, settings.seed)
        else:
            values = vectors.rows(feature.vocabulary, settings.seed)  # type: ignore[attr-defined]
        tables[name] = FeatureTable(values, shares(feature, [text.tokens for text in texts]), feature.groups)
    return tables


def _embeddings(settings: Settings, run: Path, encoder: Encoder) -> dict[str, Any]:
    """float32 (vocabulary, width) of each unit that the network reads."""
    width, seed = settings.embed.vector_size, settings.seed
    return {
        unit: _embedding(settings.network, embed.read_vectors(run, unit), encoder.vocabularies[unit], width, seed)
        for unit in encoder.reads
    }


def _embedding(network: NetworkSettings, vectors: Vectors | None, vocabulary: Vocabulary, width: int, seed: int) -> Any:
    """float32 (vocabulary, width): the vectors, or else random ones."""
    if vectors is None or network.embedding == "random":
        return drawn(len(vocabulary), width, seed)
    return vectors.rows(vocabulary, seed)


def drawn(rows: int, width: int, seed: int) -> Any:
    """float32 (rows, width), uniform in -0.05 to 0.05 as Keras has it; 0 in the first row, which is padding."""
    table = np.random.default_rng(seed).uniform(-0.05, 0.05, (rows, width)).astype(np.float32)
    table[0] = 0
    return table
