"""From files to the IR: one folder per kind of source."""
