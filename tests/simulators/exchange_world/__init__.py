"""A seeded world of villages, townships and a city that exchange through everything that can go wrong.

The decisions are production's: both roles of `wire.exchange`, its verdicts, `casework.lifecycle`, and, in one
configuration, real seals and signatures. What is modelled here is only what production keeps on disks and says over
lines. A run is a list of steps drawn from a seed; after every step the invariants of `wire/README.md` are checked, at
the end all faults stop and the oracle asks whether anything is lost, doubled, invented or falsely called received.

    python -m tests.simulators.exchange_world --seeds 1000            a table
    python -m tests.simulators.exchange_world --replay 4711           one seed, step by step
"""
