"""Publishing the catalog: a checked source folder becomes a signed TUF release that every node can verify alone.

The rest of the gateway only serves the files made here (`FOLDER/catalog/metadata`, `FOLDER/catalog/targets`).
"""
