"""The files that Keras models and weights are written to."""
