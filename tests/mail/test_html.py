import pytest

from sievemda.mail.html import html_to_text, text_to_html


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain", "plain"),
        ("<p>one</p><p>two<br>three</p>", "one\ntwo\nthree"),
        ("a <b>bold</b> word, V<i></i>iagra", "a bold word, Viagra"),
        ("over\r\n  several\n lines", "over several lines"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
        ("&lt;b&gt; &amp; &quot;x&quot; &#65;&#x42; &eacute;&nbsp;&copy", '<b> & "x" AB é\xa0©'),
        (
            "&#0; &#99999999999999999999; &#xffffffffff; &nosuch; &",
            "\ufffd &#99999999999999999999; &#xffffffffff; &nosuch; &",
        ),
        ("<script>if (a<b) x()</script>kept<STYLE type=x>p {}</STYLE >", "kept"),
        ("<!-- <p>no</p> -->yes<!doctype html><?php no ?></>", "yes"),
        ("<a title=\"a>b\" href='x>y'>link</a>", "link"),
        ("<p isn't>it</p>", "it"),
        ("1 < 2 and 2 > 1", "1 < 2 and 2 > 1"),
        ("text <b unclosed", "text"),
        ("text <!-- unclosed <p>x</p>", "text"),
        ("text <script> unclosed <p>x</p>", "text"),
        ("<title>T</title>x", "T\nx"),
        ("a\0b", "a b"),
        ("", ""),
    ],
)
def test_the_text_is_what_people_see(source, expected):
    assert html_to_text(source) == expected


def test_a_text_survives_the_way_to_html_and_back():
    assert html_to_text(text_to_html("a < b & c > d")) == "a < b & c > d"


@pytest.mark.parametrize(
    "hostile",
    [
        '<a "',
        "<a='",
        "<a =\"'",
        "<!--",
        "</",
        "&#",
        "&a",
        "<script>",
        "<a ",
        "=",
        "<style></style",
        "<a =' >",
        "<!",
        "<?",
    ],
)
def test_what_is_never_closed_is_read_once(hostile, count_steps):
    one = count_steps(lambda: html_to_text(hostile * 1_000))
    four = count_steps(lambda: html_to_text(hostile * 4_000))
    assert four <= 4 * one + 100


def test_behind_very_many_tags_the_rest_is_stripped_in_one_sweep(count_steps, monkeypatch):
    monkeypatch.setattr("sievemda.mail.html._MOST", 100)
    assert html_to_text("<b>x</b>" * 100 + "<p>the &lt;end").endswith("xxxthe <end")
    assert count_steps(lambda: html_to_text("<b>x" * 2_000)) <= 1.1 * count_steps(lambda: html_to_text("<b>x" * 200))
