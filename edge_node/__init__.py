"""The node's counter service: what a clerk or an agent does at this counter, offline, and what is sealed for the city."""
