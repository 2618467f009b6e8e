"""Numbers of seconds as arguments: finite ones, which a clock can wait for."""

from __future__ import annotations

import math
from typing import Any

import click

LONGEST = 86_400.0 * 365


class Seconds(click.FloatRange):
    """At least `least`; `nan`, `inf` and what no clock can wait for are refused."""

    def __init__(self, least: float = 0.0, most: float = LONGEST) -> None:
        super().__init__(least, most)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return number
