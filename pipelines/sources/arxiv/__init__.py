"""arXiv: the client, which harvest windows are due, harvesting them, and look-ups of papers."""
