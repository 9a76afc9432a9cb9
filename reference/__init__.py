"""What every op means, in plain NumPy: the semantics' written truth and the tests' oracle."""
