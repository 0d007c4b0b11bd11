"""`make soak`: what Papertide must survive, for as long as someone cares to let it run."""
