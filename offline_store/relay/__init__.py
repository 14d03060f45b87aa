"""Sealed bags that a township node carries for villages; see `offline_store.relay.bags.Bags`."""
