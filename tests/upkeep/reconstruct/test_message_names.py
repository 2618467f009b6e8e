"""What the name of a message should be."""

import pytest

from sievemda.upkeep.reconstruct.message_names import Name, placed


@pytest.mark.parametrize(
    ("part", "name", "wanted"),
    [
        ("new", "1.M1.h,S=5,W=6", ("new", "1.M1.h,S=5,W=6")),
        ("new", "1.M1.h,S=5,W=6:2,S", ("cur", "1.M1.h,S=5,W=6:2,S")),
        ("new", "1.M1.h,S=5:2,", ("new", "1.M1.h,S=5")),
        ("cur", "1.M1.h,S=5", ("cur", "1.M1.h,S=5:2,")),
        ("cur", "1.M1.h:2,SFS", ("cur", "1.M1.h:2,FS")),
        ("cur", "1.M1.h:2,bSa", ("cur", "1.M1.h:2,Sab")),
        ("cur", "1.M1.h:2,S 1", ("cur", "1.M1.h:2,S")),
        ("cur", "1.M1.h:1,x", ("cur", "1.M1.h:2,")),
        ("cur", "1.M1.h:2,S,mine", ("cur", "1.M1.h:2,S,mine")),
        ("cur", "1.M1.h:2,PX", ("cur", "1.M1.h:2,PX")),
    ],
)
def test_flags_stand_where_and_as_readers_expect_them(part, name, wanted):
    assert placed(part, Name.of(name)) == wanted


def test_sizes_are_replaced_and_stand_behind_what_else_is_said():
    assert Name.of("1.h,S=1,U=7,W=2:2,S").with_sizes(30, 33) == Name("1.h,U=7,S=30,W=33", "2,S")


@pytest.mark.parametrize("name", ["", ",S=5", "1\n2", "a\x7f"])
def test_some_names_cannot_stand_in_the_lists_of_readers(name):
    assert not Name.of(name).can_be
