"""Sealed scan files, named by the hash of their sealed bytes; see `offline_store.vault.scans.Vault`."""
