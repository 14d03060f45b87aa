"""What a node keeps on its disk: the encrypted desk, the mailbox of sealed envelopes, the vault of sealed scans,
the bags that a township carries for villages.

The four parts are strangers to one another. Nothing readable by a thief is ever written outside the desk: mailbox,
vault and relay hold only bytes that were sealed before they came here, and the few plain files (line state, enrolment)
name no citizen.
"""
