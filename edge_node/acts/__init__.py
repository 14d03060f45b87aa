"""The acts of the counter: one function per act, one desk transaction each, no web framework."""
