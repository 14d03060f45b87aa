"""One step for each form the desk ever had; `offline_store.desk.upgrading` runs them, nothing else does."""
