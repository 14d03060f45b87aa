"""One widget a module. A widget knows how to show and edit its value; it never talks to the node."""
