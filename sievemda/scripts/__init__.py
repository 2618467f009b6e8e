"""The scripts of users with their history: the one way by which they are changed.

`keeper` changes them and notes each change, `looking` finds what others have changed, `undo` takes changes back,
`opening` finds whose scripts they are.
"""
