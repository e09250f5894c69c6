"""Embeddings: vocabularies, word vectors, Word2Vec training, and the formats of published tables."""
