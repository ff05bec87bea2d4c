"""Training any model on any device: optimizers, schedules, metrics, checkpoints."""
