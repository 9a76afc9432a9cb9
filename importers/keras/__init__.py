"""Keras files of every era: archive (bytes to a record), upgrade (old words), lift (to nodes)."""
