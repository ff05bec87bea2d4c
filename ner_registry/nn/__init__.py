"""Pure PyTorch: nothing in here knows of configs, files or the rest of the package."""
