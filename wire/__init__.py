"""What is said between two programs: envelopes, scans, receipts, messages, the exchange.

No sockets, no disk, no clock of its own. The normative text is `wire/README.md`. Import the module you need;
this package re-exports nothing, so that the screen does not pay for the cryptography.
"""
