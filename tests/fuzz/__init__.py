"""Fuzzing: what any octets do to the parts that strangers can reach.

Each module of `targets` is one target: a function that takes octets and raises when something is wrong with what the
program does with them. A target says what must hold for every input (`check`); the words that are worth trying there
(`words`); and, where it is worth it, how an input is changed so that it stays one of its kind (`mutate`).

    make fuzz           atheris (libFuzzer) tries inputs, guided by the code that they reach
    make fuzz-corpus    keeps the inputs that reach something new
    test_replay.py      gives what was kept, and what was once found, to the same functions; needs no atheris

Why the targets know nothing of atheris: it has wheels for few Pythons, and what is only run where it is there rots.
"""
