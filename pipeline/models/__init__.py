"""Models: the folder that training leaves behind, loaded, checked and asked."""
