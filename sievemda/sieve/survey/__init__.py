"""All that is wrong with a script, told to the person who wrote it.

`compile_script` finds faults in the order and number that the test language prescribes: syntax errors hide what is
wrong with the commands, and recovery goes by fixed ranks. A person wants something else: every mistake at once, each
one once, and what was probably meant. So a script that does not compile is read a second time here: `words` knows what
people write instead of the marks of Sieve, `reader` makes commands of it in spite of that, `binder` checks these and
takes a mistake that has been told for mended. `lint` is for scripts that do compile: what is allowed, and hardly meant.

Why a second reading and not a cleverer first one: guesses must never decide what a script does, nor how many errors
another implementation's tests count. Whether a script is valid is `compile_script`'s answer alone.
"""
