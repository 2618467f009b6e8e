"""`sievemda admin`: the shell of administrators who come from Cyrus (semantics, section 11), over the store itself.

    language       a line as commands: words, quotes, `;`, redirections
    options        `--partition P` and `-p P` in front of the arguments of a command
    table          every command by all its names: usage, summary, the function that does it
    session        who acts on which store, and where output goes
    shell          lines in, output and statuses out; what errors are called
    interactive    prompt, history and completion on a terminal
    mailboxes, listing, rights, quotas, annotations, connection     the commands

Why no IMAP: cyradm talks to a server, which alone knows its mailboxes. Here the file system is the database, so that
whoever may write there is the administrator. Commands, output and errors are cyradm's; what only a connection has
(ports, TLS, mechanisms) is taken and means nothing, and what would mislead (another host) is refused.
"""
