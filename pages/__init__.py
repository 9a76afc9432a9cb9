"""Pages that people look at: one HTML file each, which loads nothing and needs no script.

They are made from the documents that `--json` prints and from nothing else. Names in them come from
model files, so every text passes through `markup`, which escapes.
"""
