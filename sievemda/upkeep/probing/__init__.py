"""A message of ours on the way that all take: in at the door, into a folder, back out; each hop with its time."""
