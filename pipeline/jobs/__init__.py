"""Jobs: tables of any size go through a model or a segmenter into other tables."""
