"""The Sieve language, pure: parse, bind, run. Knows neither store nor state nor clock.

`compile_script` makes a `Program` of a text or raises `ScriptError` with every problem; `run` makes an `Outcome` of a
program and a message. An extension is one file in `extensions`.
"""

from sievemda.sieve.compile import ProgramCache, compile_script
from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import Problem, RunError, ScriptError
from sievemda.sieve.program import Program
from sievemda.sieve.run import Compared, Outcome, Tried, run
from sievemda.sieve.vocabulary import capabilities

__all__ = [
    "Compared",
    "Limits",
    "Outcome",
    "Problem",
    "Program",
    "ProgramCache",
    "RunError",
    "ScriptError",
    "Tried",
    "capabilities",
    "compile_script",
    "run",
]
