"""VECTORS: vocabularies, word vectors, Word2Vec training and the formats that others publish vectors in."""
