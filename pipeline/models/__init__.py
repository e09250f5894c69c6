"""Models: the folder that training leaves behind, how it is checked and loaded, and how a model is used."""
