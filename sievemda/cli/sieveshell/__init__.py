"""`sievemda sieveshell`: a shell for the scripts on any ManageSieve server.

`command` are its options, `access` finds the server and logs in, `commands` what can be typed, `editing` the command
`edit`, `shell` runs lines, and `interactive` is the terminal.
"""
