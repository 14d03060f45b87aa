"""One screen a module: what the agent sees at once, and which keys do what there."""
