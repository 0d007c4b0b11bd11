"""The archive: captures kept as received, each with its receipt. Does not parse them."""
