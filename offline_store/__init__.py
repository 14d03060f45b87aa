"""What a node keeps on its disk: the encrypted desk, the mailbox of sealed envelopes, the vault of sealed scans.

The three parts are strangers to one another. Nothing readable by a thief is ever written outside the desk: mailbox
and vault hold only bytes that were sealed before they came here, and the few plain files (line state, enrolment)
name no citizen.
"""
