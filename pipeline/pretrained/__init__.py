"""Pretrained encoders of characters: their folders, and those that come with zhpipe."""
