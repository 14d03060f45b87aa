"""The node's counter service: what is done at this counter, offline, and what is sealed for the city."""
