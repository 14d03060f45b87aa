"""What stands at the counter before anybody acts: the desk and its clock, who is signed in, the room on the disk, the
guides, what people must be told. `counter.Counter` puts it together once; the acts get it handed in.
"""
