"""Verified backups of the gateway, and the way back from one.

A backup is a ledger of its own, sealed to the gateway's key, with every scan it speaks of; it is restored on trial
before any node may rely on it. ADR 12 says why there is one form for both databases.
"""
