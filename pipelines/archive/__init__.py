"""The archive of captures: received bytes with a receipt, named by content, never changed."""
