"""Before a script goes live: what would it do differently with the messages that its owner has already?

`envelope` says what the mail server may have said of a stored message, `world` is what scripts may ask meanwhile,
`treatment` what would be done as a value to compare, print and hand on, and `tryout` goes through the messages. Nothing
here has an effect: no mail leaves or moves, nothing is remembered, no program runs.
"""
