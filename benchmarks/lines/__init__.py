"""The exchange over village lines: what arrives when, and how many bytes that costs, beside what others do there."""
