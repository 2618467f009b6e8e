"""The server as processes: one parent that binds, forks, watches and reloads; workers that accept and deliver; one
housekeeper that sends outgoing mail and clears away what has expired.

Why processes: Python runs one thread at a time, and a delivery is mostly Python; workers use all processors. The parent
does nothing but watch, so that it cannot be brought down by a message.
"""
