"""Where finished sealed scans lie: one interface for all acts, a folder behind it or a store that is spoken to.

Laws: what is put is durable when the call returns; a name is the hash of the sealed bytes and nothing else says whether
they are sound; uploads in progress are no concern of this room, they stay on each gateway's own disk.
"""
