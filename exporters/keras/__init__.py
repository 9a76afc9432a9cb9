"""Keras files: from a model and its plan, one dialect per target."""
