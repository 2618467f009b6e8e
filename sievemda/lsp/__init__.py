"""The language server: what an editor asks about a script while it is written, over the Language Server Protocol 3.17.

`server` speaks the protocol (pygls) and is the only asynchronous module here. The others answer one question each, as
pure functions of a `Document`: `checking` what is wrong, `completion` what may come here, `hovering` what this is,
`navigation` where things are, `mending` how to put it right, `layout` how it should look, `tokens` how to colour it.
`scene` says what stands around the cursor, in a text that is hardly ever a valid script at that moment.

Why nothing here keeps a syntax tree: while somebody types, the text has none. The words of the language are enough to
know in which argument of which command the cursor is, right up to the cursor, whatever stands behind it.
"""
