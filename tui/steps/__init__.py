"""The steps of the wizard: one body widget each, all over the same `DraftDesk`."""
