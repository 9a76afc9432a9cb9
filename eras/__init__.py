"""What each Keras era stores, names and assumes: tables that importers and exporters share."""
