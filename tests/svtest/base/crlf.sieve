# a comment
if not header :is "x-none" "a
b" {
    /* two
 lines */
	discard
;
}
if header :is "x-none" text: # here
..x
.
{ keep; }