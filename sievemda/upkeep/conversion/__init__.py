"""Filters of other programs into Sieve, with a report of what was exact, approximate or impossible.

Why pure: text goes in, a script and a report come out. What a filter includes is asked of a function that the command
line passes, so nobody's file is read that he did not point at.
"""
