"""What users bring: paths, the inbox, the `captures.csv` sidecar. Hands bytes to the archive."""
