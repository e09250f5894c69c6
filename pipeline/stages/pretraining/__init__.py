"""Pretraining: raw text becomes an encoder, in the stages texts, forward, backward and measure."""
