"""From the IR to files: one folder or module per kind of target."""
