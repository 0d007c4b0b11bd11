"""User input: paths, the inbox, the `captures.csv` sidecar. Passes bytes to the archive."""
