"""Training: the trainer, losses, the CRF, optimizers."""
